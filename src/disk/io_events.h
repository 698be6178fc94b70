/*
 * io_events.h
 *	  The events that the engine's own I/O makes.
 */
#ifndef RDB_IO_EVENTS_H
#define RDB_IO_EVENTS_H

#include "events/emit.h"

/* A latency that nobody has measured: null. */
#define RDB_IO_NOT_MEASURED (-1)

extern void rdb_io_completed(RdbEventType type, const RdbRelFile *file,
							 BlockNumber block, int64 us, int64 bytes);
extern void rdb_io_vectored(RdbEventType type, const RdbRelFile *file,
							int64 pages, int64 bytes, int64 us);
extern void rdb_io_page_event(RdbEventType type, const RdbRelFile *file,
							  ForkNumber fork, BlockNumber block);
extern void rdb_io_page_evicted(const RdbRelFile *file, ForkNumber fork, BlockNumber block,
								const char *reason);
extern void rdb_io_page_flushed(const RdbRelFile *file, ForkNumber fork,
								BlockNumber block, int64 bytes);
extern void rdb_io_page_allocated(Relation rel, BlockNumber block);
extern void rdb_io_page_compacted(Relation rel, BlockNumber block, int64 reclaimed);
extern void rdb_io_checksum_failure(const RdbRelFile *file, BlockNumber block,
									uint32 expected, uint32 actual);

#endif							/* RDB_IO_EVENTS_H */
