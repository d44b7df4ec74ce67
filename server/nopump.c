/* SPDX-License-Identifier: MIT */
/* Until the pump is linked: removed with its first complete version. */
#include <stdio.h>
#include "pump.h"
#include "process.h"
#include <metacube/conn.h>
__attribute__((weak)) struct io *io_start(struct process *p, unsigned n){(void)p;(void)n;return 0;}
__attribute__((weak)) void io_stop(struct io **i){(void)i;}
__attribute__((weak)) enum mc_status identity_load(struct process *p){(void)p;return MC_OK;}
__attribute__((weak)) const char *identity_name(void){return "";}
__attribute__((weak)) enum mc_status pump_bind(struct mc_host *h,const char *e){(void)h;(void)e;return MC_OK;}
__attribute__((weak)) enum mc_status pump_reload(struct mc_host *h){(void)h;return MC_OK;}
__attribute__((weak)) void pump_close(struct mc_host *h){(void)h;}
__attribute__((weak)) const char *pump_listener(struct mc_host *h, unsigned n){(void)h;(void)n;return 0;}
__attribute__((weak)) size_t pump_connections(struct mc_host *h){(void)h;return 0;}
__attribute__((weak)) bool pump_peer_trusted(const struct mc_conn *c){(void)c;return true;}
__attribute__((weak)) void mc_conn_admit(struct mc_conn *c){(void)c;}
__attribute__((weak)) void mc_conn_close(struct mc_conn *c){(void)c;}
__attribute__((weak)) void mc_conn_send(struct mc_conn *c,const Metacube__Envelope*e){(void)c;(void)e;}
__attribute__((weak)) struct mc_listener *mc_listen(struct mc_host *h,const struct mc_listen_conf *c,const char *r,const struct mc_conn_ops *o,void *s){(void)h;(void)r;(void)o;(void)s;FILE *f = fopen(c->endpoint+5,"w"); if (f) fclose(f);return (void *)8;}
__attribute__((weak)) void mc_unlisten(struct mc_listener **l){*l=0;}
