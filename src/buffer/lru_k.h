/*
 * lru_k.h
 *	  Which of a cache's entries to give up: LRU-K, whose K adapts.
 */
#ifndef RDB_LRU_K_H
#define RDB_LRU_K_H

#define RDB_LRU_K_MOST 3

/* References that follow so closely are one, for those of a statement to an entry are not
 * what another one's are predicted by. */
#define RDB_LRU_K_CORRELATED 64

/* When an entry was referred to: the last time first, in references to the cache; 0: never. */
typedef struct RdbLruKPast
{
	uint64		times[RDB_LRU_K_MOST];
} RdbLruKPast;

/* What is remembered of an entry that was given up, or not taken. */
typedef struct RdbLruKGhost
{
	uint32		hash;			/* of its key */
	RdbLruKPast past;
} RdbLruKGhost;

/* How K adapts. */
typedef struct RdbLruKTuner
{
	int			k;				/* 1 to RDB_LRU_K_MOST */
	int			tried;			/* that was in force in this window */
	int			direction;		/* 1 or -1: where the next one to be tried is */
	int			windows;		/* since one was tried */
	double		rate;			/* hits by k in its last window; below 0: unknown */
} RdbLruKTuner;

extern void rdb_lru_k_refer(RdbLruKPast *past, uint64 now);
extern bool rdb_lru_k_is_worse(const RdbLruKPast *a, const RdbLruKPast *b, int k);

extern void rdb_lru_k_remember(RdbLruKGhost *ghosts, uint32 nghosts, uint32 hash,
							   const RdbLruKPast *past);
extern void rdb_lru_k_recall(const RdbLruKGhost *ghosts, uint32 nghosts, uint32 hash,
							 RdbLruKPast *past);

extern void rdb_lru_k_start(RdbLruKTuner *tuner);
extern int	rdb_lru_k_tune(RdbLruKTuner *tuner, uint64 hits, uint64 requests);

#endif							/* RDB_LRU_K_H */
