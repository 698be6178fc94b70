/*
 * hardware_crc.h
 *	  SQL entry point: rustydb.disk_compute_hardware_checksum(data)
 */
#ifndef RDB_HARDWARE_CRC_H
#define RDB_HARDWARE_CRC_H

#include "fmgr.h"

extern PGDLLEXPORT Datum rdb_disk_compute_hardware_checksum_sql(PG_FUNCTION_ARGS);

#endif							/* RDB_HARDWARE_CRC_H */
