/*
 * columnar_events.h
 *	  Events of tables of rustydb_columnar.
 */
#ifndef RDB_COLUMNAR_EVENTS_H
#define RDB_COLUMNAR_EVENTS_H

#include "codec/ints.h"
#include "utils/rel.h"

extern const char *rdb_encoding_name(RdbEncoding encoding);
extern void rdb_tell_batch(Relation rel, int64 rows, int columns);
extern void rdb_tell_scanned(Relation rel, const char *column, int64 rows, int64 ms);
extern void rdb_tell_encoding(Relation rel, const char *column, RdbEncoding before,
							  RdbEncoding after, double ratio);

#endif							/* RDB_COLUMNAR_EVENTS_H */
