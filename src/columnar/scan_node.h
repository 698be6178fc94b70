/*
 * scan_node.h
 *	  The custom scan of tables with column groups.
 */
#ifndef RDB_SCAN_NODE_H
#define RDB_SCAN_NODE_H

#include "columnar/scan_blocks.h"
#include "nodes/execnodes.h"
#include "nodes/extensible.h"

extern const CustomScanMethods rdb_scan_methods;

extern void rdb_scan_register(void);

extern RdbScanRow rdb_columnar_scan_slice(CustomScanState *node, const uint16 **rows, uint32 *n);
extern void rdb_columnar_scan_fill(CustomScanState *node, uint16 row);
extern RdbBlockScan *rdb_columnar_scan_blocks(CustomScanState *node);

#endif							/* RDB_SCAN_NODE_H */
