/*
 * The inbox: deliveries, from the frame to what is appended about them.
 */
#ifndef NODE_INBOX_H
#define NODE_INBOX_H

#include "content.h"
#include "msg/frame.h"

struct source;
struct turn;
struct delivery;

int inbox_load(struct node *n) __attribute__((warn_unused_result));
void inbox_unload(struct node *n);

/*
 * DELIVER: verify the statement and the parcel, open it, check what it holds, and add the draft
 * that says so: RECEIVED or REFUSED, back to the sender, or RECEIPT. What is wrong with the parcel
 * is the sender's, refused and taken; an error is the broker's (or this machine's), and ends the
 * session.
 */
int inbox_take(struct turn *t, const struct frame *f) __attribute__((warn_unused_result));

/* After the appends: the rows of what was delivered. */
int inbox_write(struct turn *t) __attribute__((warn_unused_result));
/* Show the entries of a delivery, and what they enclose, to the projections. */
int inbox_show(struct turn *t, const struct delivery *d) __attribute__((warn_unused_result));

/* Attachments that are complete: FILE to everybody who sent a record that names them; uploads that
 * are done. */
int inbox_take_finished(struct turn *t) __attribute__((warn_unused_result));
int inbox_write_finished(struct turn *t) __attribute__((warn_unused_result));

#endif
