/*
 * scan_node.h
 *	  The custom scan of tables with column groups.
 */
#ifndef RDB_SCAN_NODE_H
#define RDB_SCAN_NODE_H

#include "nodes/execnodes.h"
#include "nodes/extensible.h"

extern const CustomScanMethods rdb_scan_methods;

extern void rdb_scan_register(void);

#endif							/* RDB_SCAN_NODE_H */
