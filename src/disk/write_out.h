/*
 * write_out.h
 *	  Writes dirty shared buffers to their files, neighbours in one system
 *	  call.
 */
#ifndef RDB_WRITE_OUT_H
#define RDB_WRITE_OUT_H

#include "compat/compat.h"
#include "disk/io_request.h"

typedef struct RdbWriteReport
{
	int64		pages;
	int64		us;
} RdbWriteReport;

extern void rdb_write_out(const RdbRelFile *file, ForkNumber fork,
						  const BlockNumber *blocks, int n, RdbIoMethod method,
						  RdbWriteReport *report);
extern int64 rdb_write_out_dirty(const RdbRelFile *only, RdbWriteReport *report);

#endif							/* RDB_WRITE_OUT_H */
