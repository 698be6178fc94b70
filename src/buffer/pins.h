/*
 * pins.h
 *	  Buffers that a session has asked to keep in memory until its transaction
 *	  ends.
 */
#ifndef RDB_PINS_H
#define RDB_PINS_H

#include "storage/block.h"
#include "storage/buf.h"
#include "utils/relcache.h"

#define RDB_MAX_PINS_LIMIT 10000

extern int	rdb_max_pins;

extern void rdb_pins_hooks(void);
extern void rdb_pin_allow(void);
extern void rdb_pin_keep(Relation rel, BlockNumber block, Buffer buffer);
extern bool rdb_pin_drop(Relation rel, BlockNumber block, bool dirty);

#endif							/* RDB_PINS_H */
