/*
 * /metrics (Prometheus text format) and /healthz over HTTP, through libmicrohttpd's epoll
 * descriptor in the broker's own loop: no thread of its own.
 */
#ifndef BROKER_METRICS_H
#define BROKER_METRICS_H

#include "broker.h"
#include "link/link.h"

struct metrics;

/* Listen at ${address}, "HOST:PORT" of a loopback address (COMITY_E_CONFIG otherwise: this speaks
 * to no stranger). Keeps
 * ${b} and ${link}. */
int metrics_open(struct broker *b, struct link *link, const char *address, struct metrics **ret)
    __attribute__((warn_unused_result));
void metrics_close(struct metrics *m);
int metrics_fd(const struct metrics *m);
/* Serve what is waiting. */
void metrics_run(struct metrics *m);

#endif
