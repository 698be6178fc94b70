/*
 * rules.h
 *	  Rules of concurrency that carry weight, and builds that leave one of them out.
 *
 * `make check-long` compiles the library once for each rule without it, and sees that a test
 * notices: make COPT=-DRDB_LEFT_OUT=RDB_RULE_SECOND_LOOK.  Such a build also sleeps now and then
 * where a race is lost.  In any other build nothing is left of all this.
 */
#ifndef RDB_RULES_H
#define RDB_RULES_H

#define RDB_RULE_NONE 0
#define RDB_RULE_SECOND_LOOK 1	/* at a block's entry, when its page is pinned */
#define RDB_RULE_UNCHANGED 2	/* is what is swapped, since it was copied */
#define RDB_RULE_CLEANUP_LOCK 3	/* at the swap: nobody has the page pinned */
#define RDB_RULE_XMAX_INVALID 4	/* of a row that settles */
#define RDB_RULE_REMOVABLE_XMIN 5	/* of a row that settles: all see it */
#define RDB_RULE_REUSE_HORIZON 6	/* of an extent: nobody can be reading it */
#define RDB_RULE_CLEAR_XMAX 7	/* of a row that settles */
#define RDB_RULE_LOGICAL_SSI 8	/* writers look for readers of the block */
#define RDB_RULE_WRITERS_PIN 9	/* is kept until heap's call has returned */

#ifndef RDB_LEFT_OUT
#define RDB_LEFT_OUT RDB_RULE_NONE
#endif

#define rdb_rule(rule) (RDB_LEFT_OUT != (rule))

#if RDB_LEFT_OUT == 0
#define rdb_race_window() ((void) 0)
#define rdb_race_pause() ((void) 0)
#else
#include "common/pg_prng.h"

/* Up to 20 ms. */
#define rdb_race_pause() pg_usleep(pg_prng_uint32(&pg_global_prng_state) % 20000)

/* One time in eight up to 2 ms. */
#define rdb_race_window() \
	do { \
		if (pg_prng_uint32(&pg_global_prng_state) % 8 == 0) \
			pg_usleep(pg_prng_uint32(&pg_global_prng_state) % 2000); \
	} while (0)
#endif

#endif							/* RDB_RULES_H */
