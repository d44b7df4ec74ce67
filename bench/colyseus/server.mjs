// SPDX-License-Identifier: MIT
// The peer of tools/bench place: a Colyseus server whose matchmaker reserves
// seats in one large room.  Prints its port.
import { Room, Server } from "@colyseus/core";
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
console.log(server.transport.server.address().port);
