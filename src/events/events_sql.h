/*
 * events_sql.h
 *	  SQL entry points of the events room:
 *
 *		rustydb.event_types		(view over rdb_event_types_sql)
 *		rustydb.recent_events(category, max_events, since_id)
 *		rustydb.event_stats()
 */
#ifndef RDB_EVENTS_SQL_H
#define RDB_EVENTS_SQL_H

#include "fmgr.h"

extern PGDLLEXPORT Datum rdb_event_types_sql(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_recent_events(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum rdb_event_stats(PG_FUNCTION_ARGS);

#endif							/* RDB_EVENTS_SQL_H */
