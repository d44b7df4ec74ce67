// SPDX-License-Identifier: MIT
// The peer of tools/bench place: a Colyseus server whose matchmaker reserves
// seats in 100 rooms that run already: in fewer, the seats that wait to expire
// would slow it down, and creating a room costs more.  Prints its port.
import { Room, Server, matchMaker } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";

class MapRoom extends Room {
  onCreate() {
    this.maxClients = 1e9;
    this.autoDispose = false;
  }
}

const server = new Server({ transport: new WebSocketTransport(), greet: false });
server.define("map", MapRoom).filterBy(["map"]);
await server.listen(0, "127.0.0.1");
for (let i = 0; i < 100; i++)
  await matchMaker.createRoom("map", { map: "map-" + (100 + i) });
console.log(server.transport.server.address().port);
