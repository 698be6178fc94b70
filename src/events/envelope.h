/*
 * envelope.h
 *	  The JSON form of events: the same text in notifications, SQL results and,
 *	  later, WebSocket frames.
 */
#ifndef RDB_ENVELOPE_H
#define RDB_ENVELOPE_H

#include "events/ring.h"

extern char *rdb_event_json(const RdbEvent *event);
extern char *rdb_gap_json(const RdbRingGap *gap);
extern bool rdb_event_visible(const RdbEvent *event);

#endif							/* RDB_ENVELOPE_H */
