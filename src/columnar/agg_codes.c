/*
 * agg_codes.c
 *	  Which rows of a slice have the same values.
 *
 * Integers whose range is small are looked up in an array, others and strings in a hash
 * table with linear probing; strings of a dictionary by where they lie.  All NULLs are the
 * same.  Pure.
 */
#include "postgres.h"

#include "columnar/agg_codes.h"

#include "common/hashfn.h"

/* Slots: a power of two, at least twice as many as there are rows. */
#define SLOTS (2 * RDB_CHUNK_ROWS)

struct RdbCodesWork
{
	uint16		slots[SLOTS];	/* a group's number, and 1; 0: none */
	uint32		hashes[RDB_CHUNK_ROWS];	/* of groups */
};

RdbCodesWork *
rdb_codes_work(void)
{
	return palloc(sizeof(RdbCodesWork));
}

static inline bool
is_null(const RdbVector *vector, uint32 row)
{
	return vector->nulls > 0 && vector->is_null[row];
}

/* A new group, whose first row has that place. */
static inline uint16
add_group(RdbCodes *codes, uint32 place)
{
	codes->first[codes->n] = (uint16) place;
	return (uint16) codes->n++;
}

/* ---- arrays ---- */

typedef struct Range
{
	int64		min;
	int64		max;			/* below min: there is no value */
} Range;

static Range
range_of(const RdbVector *vector, const RdbSelection *selection)
{
	Range		range = {PG_INT64_MAX, PG_INT64_MIN};

	for (uint32 i = 0; i < selection->n; i++)
	{
		uint32		row = selection->rows[i];

		if (is_null(vector, row))
			continue;
		range.min = Min(range.min, vector->values.ints[row]);
		range.max = Max(range.max, vector->values.ints[row]);
	}
	return range;
}

/* The last slot is that of NULL. */
static void
codes_by_array(RdbCodesWork *work, const RdbVector *vector, const RdbSelection *selection,
			   int64 min, uint32 width, RdbCodes *codes)
{
	memset(work->slots, 0, (width + 1) * sizeof(uint16));
	for (uint32 i = 0; i < selection->n; i++)
	{
		uint32		row = selection->rows[i];
		uint16	   *slot = &work->slots[is_null(vector, row) ? width :
										(uint32) ((uint64) vector->values.ints[row] - (uint64) min)];

		if (*slot == 0)
			*slot = add_group(codes, i) + 1;
		codes->of[i] = *slot - 1;
	}
}

/* ---- hash tables ---- */

/* What of values that are not NULL is the same: integers, strings, or places of strings. */
typedef enum Sameness
{
	SAME_INTS,
	SAME_BYTES,
	SAME_PLACES
} Sameness;

static inline bool
is_equal(Sameness sameness, const RdbVector *vector, uint32 a, uint32 b)
{
	const RdbBytes *x = &vector->values.bytes[a];
	const RdbBytes *y = &vector->values.bytes[b];

	if (sameness == SAME_INTS)
		return vector->values.ints[a] == vector->values.ints[b];
	return x->length == y->length &&
		(x->data == y->data || (sameness == SAME_BYTES && memcmp(x->data, y->data, x->length) == 0));
}

static inline uint32
hash_of(Sameness sameness, const RdbVector *vector, uint32 row)
{
	uint64		value;

	if (sameness == SAME_BYTES)
		return hash_bytes(vector->values.bytes[row].data, (int) vector->values.bytes[row].length);
	value = sameness == SAME_INTS ? (uint64) vector->values.ints[row] :
		(uint64) (uintptr_t) vector->values.bytes[row].data;
	/* Fibonacci hashing: the upper bits depend on all */
	return (uint32) ((value * UINT64CONST(0x9E3779B97F4A7C15)) >> 32);
}

static inline void
codes_by_hash(RdbCodesWork *work, Sameness sameness, const RdbVector *vector,
			  const RdbSelection *selection, RdbCodes *codes)
{
	int			null_group = -1;

	memset(work->slots, 0, sizeof(work->slots));
	for (uint32 i = 0; i < selection->n; i++)
	{
		uint32		row = selection->rows[i];
		uint32		hash;
		uint32		slot;

		if (is_null(vector, row))
		{
			if (null_group < 0)
				null_group = add_group(codes, i);
			codes->of[i] = (uint16) null_group;
			continue;
		}
		hash = hash_of(sameness, vector, row);
		slot = hash / (uint32) ((UINT64CONST(1) << 32) / SLOTS);
		while (work->slots[slot] != 0 &&
			   (work->hashes[work->slots[slot] - 1] != hash ||
				!is_equal(sameness, vector, selection->rows[codes->first[work->slots[slot] - 1]], row)))
			slot = (slot + 1) % SLOTS;
		if (work->slots[slot] == 0)
		{
			work->hashes[codes->n] = hash;
			work->slots[slot] = add_group(codes, i) + 1;
		}
		codes->of[i] = work->slots[slot] - 1;
	}
}

/* ---- columns ---- */

/* Of rows of a vector of integers. */
void
rdb_codes_of_ints(RdbCodesWork *work, const RdbVector *vector, const RdbSelection *selection,
				  RdbCodes *codes)
{
	Range		range = range_of(vector, selection);
	uint64		width = range.max < range.min ? 0 : (uint64) range.max - (uint64) range.min + 1;

	codes->n = 0;
	/* a range of all integers has width 0, too */
	if (width < SLOTS && (width > 0 || range.max < range.min))
		codes_by_array(work, vector, selection, range.min, (uint32) width, codes);
	else
		codes_by_hash(work, SAME_INTS, vector, selection, codes);
}

/*
 * Of rows of a vector of strings; shared: those that are the same lie at the same place
 * mostly, and it is no harm that some do not.  (Two groups of a slice may be one in the
 * end.)
 */
void
rdb_codes_of_bytes(RdbCodesWork *work, const RdbVector *vector, bool shared,
				   const RdbSelection *selection, RdbCodes *codes)
{
	codes->n = 0;
	if (shared)
		codes_by_hash(work, SAME_PLACES, vector, selection, codes);
	else
		codes_by_hash(work, SAME_BYTES, vector, selection, codes);
}

/* Make of two columns' groups of n rows those of both. */
void
rdb_codes_combine(RdbCodesWork *work, RdbCodes *codes, const RdbCodes *more, uint32 n)
{
	uint64		width = (uint64) codes->n * more->n;
	uint16		first[RDB_CHUNK_ROWS];
	uint32		groups = 0;
	uint32		keys[RDB_CHUNK_ROWS];

	memset(work->slots, 0, (Size) Min(width, SLOTS) * sizeof(uint16));
	for (uint32 i = 0; i < n; i++)
	{
		uint32		key = (uint32) codes->of[i] * more->n + more->of[i];
		uint32		slot = width <= SLOTS ? key : murmurhash32(key) % SLOTS;

		while (width > SLOTS && work->slots[slot] != 0 && keys[work->slots[slot] - 1] != key)
			slot = (slot + 1) % SLOTS;
		if (work->slots[slot] == 0)
		{
			keys[groups] = key;
			first[groups] = (uint16) i;
			work->slots[slot] = (uint16) ++groups;
		}
		codes->of[i] = work->slots[slot] - 1;
	}
	codes->n = groups;
	memcpy(codes->first, first, groups * sizeof(uint16));
}
