/*
 * agg_state.c
 *	  What an aggregate has seen of a group: count, sum, avg, min and max.
 *
 * The result is that of PostgreSQL's own transition functions, applied to the same values
 * in the same order: integers are summed exactly, in 128 bits, as int8_avg_accum() does;
 * numerics too, as integers times a power of ten, and those that are none with
 * numeric_add(); floating-point numbers one after the other, as float8pl() and
 * float8_accum() do; of equal values the last is the least and the greatest, as
 * float8larger() and numeric_larger() have it.
 */
#include "postgres.h"

#include "columnar/agg_state.h"

#include <math.h>

#include "columnar/agg_numeric.h"
#include "columnar/numeric_int.h"
#include "columnar/scan_values.h"
#include "compat/compat.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

/* Sums of numerics beyond that are put by: what is added to them fits 128 bits then. */
#define MOST_SUM ((int128) 1 << 120)

/* ---- sums of integers and numerics ---- */

static void
set_rest(const RdbAgg *agg, RdbAggState *state, Numeric numeric)
{
	struct NumericData *before = state->rest;

	state->rest = memcpy(MemoryContextAlloc(agg->context, VARSIZE(numeric)), numeric,
						 VARSIZE(numeric));
	if (before)
		pfree(before);
}

static void
add_rest(const RdbAgg *agg, RdbAggState *state, Numeric numeric)
{
	if (state->rest)
		numeric = DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(state->rest),
													  NumericGetDatum(numeric)));
	set_rest(agg, state, numeric);
}

/* Put the integers' sum by, as a numeric. */
static void
put_by(const RdbAgg *agg, RdbAggState *state)
{
	add_rest(agg, state, rdb_numeric_make(state->v.sum, state->scale, state->digits));
	state->v.sum = 0;
}

static bool
fits(int128 sum)
{
	return sum <= MOST_SUM && sum >= -MOST_SUM;
}

/* Have a state's sum at another scale, which is greater. */
static void
raise_scale(const RdbAgg *agg, RdbAggState *state, int scale)
{
	int64		power = 1;
	int128		sum;

	if (!rdb_int_rescale(&power, state->scale, scale) ||
		__builtin_mul_overflow(state->v.sum, (int128) power, &sum) || !fits(sum))
	{
		put_by(agg, state);
		sum = 0;
	}
	state->v.sum = sum;
	state->scale = (int16) scale;
}

/* A sum of integers at one scale, to a state at another. */
static void
add_rescaled(const RdbAgg *agg, RdbAggState *state, int128 sum, int scale)
{
	int64		power = 1;

	if (state->scale < scale)
		raise_scale(agg, state, scale);
	else
	{
		int128		raised;

		if (!rdb_int_rescale(&power, scale, state->scale) ||
			__builtin_mul_overflow(sum, (int128) power, &raised) || !fits(raised))
		{
			add_rest(agg, state, rdb_numeric_make(sum, scale, scale));
			return;
		}
		sum = raised;
	}
	state->v.sum += sum;
	if (unlikely(!fits(state->v.sum)))
		put_by(agg, state);
}

static inline void
add_int(const RdbAgg *agg, RdbAggState *state, int64 value, int scale, int digits)
{
	if (likely(state->scale == scale))
		state->v.sum += value;
	else
		add_rescaled(agg, state, value, scale);
	state->digits = Max(state->digits, (int16) digits);
	state->count++;
}

/* All to one state. */
static void
add_ints_to_one(const RdbAgg *agg, RdbAggState *state, const RdbValues *values)
{
	int128		sum = 0;
	int64		count = values->n;

	for (uint32 i = 0; i < values->n && values->is_null == NULL; i++)
		sum += values->values[i];
	if (values->is_null)
	{
		count = 0;
		for (uint32 i = 0; i < values->n; i++)
		{
			sum += values->is_null[i] ? 0 : values->values[i];
			count += !values->is_null[i];
		}
	}
	if (count == 0)
		return;
	state->count += count;
	state->digits = Max(state->digits, (int16) values->scale);
	if (state->scale == values->scale)
		state->v.sum += sum;
	else
		add_rescaled(agg, state, sum, values->scale);
}

/* Do something with each value that is not NULL, and its group's state. */
#define EACH_VALUE(statement) \
	do { \
		for (uint32 i = 0; i < values->n; i++) \
		{ \
			RdbAggState *state = target->states[target->groups ? target->groups[i] : 0] + target->index; \
			int64		value = values->values[i]; \
			if (values->is_null == NULL || !values->is_null[i]) \
				statement; \
		} \
	} while (0)

static void
add_ints(const RdbAgg *agg, const RdbAggTarget *target, const RdbValues *values)
{
	if (target->groups == NULL && values->scales == NULL)
		add_ints_to_one(agg, target->states[0] + target->index, values);
	else if (values->scales != NULL)
		EACH_VALUE(add_int(agg, state, value, values->scale, (int) values->scales[i]));
	else
		EACH_VALUE(add_int(agg, state, value, values->scale, values->scale));
}

/* ---- sums of floating-point numbers ---- */

static inline float8
float_of(RdbVectorType type, int64 bits)
{
	int32		low = (int32) bits;
	float4		single;
	float8		value;

	if (type == RDB_VECTOR_FLOAT4)
	{
		memcpy(&single, &low, sizeof(single));
		return single;
	}
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* As float4pl() and float8pl(). */
static inline void
add_float(const RdbAgg *agg, RdbAggState *state, float8 value)
{
	if (state->count++ == 0)
		state->v.floats.sum = value;
	else if (agg->type == RDB_VECTOR_FLOAT4)
		state->v.floats.sum = float4_pl((float4) state->v.floats.sum, (float4) value);
	else
		state->v.floats.sum = float8_pl(state->v.floats.sum, value);
}

/* As float8_accum(), whose sum of squares of differences avg() does not use, but which
 * may overflow. */
static inline void
add_to_average(RdbAggState *state, float8 value)
{
	float8		before = state->v.floats.sum;
	float8		n = (float8) state->count;
	float8		sum = before + value;
	float8		difference;

	state->count++;
	state->v.floats.sum = sum;
	if (n == 0)
	{
		if (isnan(value) || isinf(value))
			state->v.floats.squares = get_float8_nan();
		return;
	}
	difference = value * (n + 1) - sum;
	state->v.floats.squares += difference * difference / (n * (n + 1));
	if (unlikely(isinf(sum) || isinf(state->v.floats.squares)))
	{
		if (!isinf(before) && !isinf(value))
			float_overflow_error();
		state->v.floats.squares = get_float8_nan();
	}
}

static void
add_floats(const RdbAgg *agg, const RdbAggTarget *target, const RdbValues *values)
{
	if (agg->kind == RDB_AGG_SUM)
		EACH_VALUE(add_float(agg, state, float_of(agg->type, value)));
	else
		EACH_VALUE(add_to_average(state, float_of(agg->type, value)));
}

/* ---- the least and the greatest ---- */

/* Whether the best so far stays it. */
static inline bool
stays(const RdbAgg *agg, int64 best, int64 key)
{
	return agg->kind == RDB_AGG_MIN ? best < key : best > key;
}

static inline void
compare(const RdbAgg *agg, RdbAggState *state, int64 key, int64 value)
{
	if (state->count++ > 0 && stays(agg, state->v.best.key, key))
		return;
	state->v.best.key = key;
	state->v.best.value = value;
}

/* A numeric that is none of the integers: from now on the best is a numeric. */
static void
compare_rest(const RdbAgg *agg, RdbAggState *state, Numeric numeric)
{
	Numeric		best = state->rest;

	if (state->count++ > 0)
	{
		if (best == NULL)
			best = rdb_numeric_make(state->v.best.value, state->scale, state->digits);
		numeric = DatumGetNumeric(DirectFunctionCall2(agg->kind == RDB_AGG_MIN ? numeric_smaller :
													  numeric_larger, NumericGetDatum(best),
													  NumericGetDatum(numeric)));
	}
	if (numeric != state->rest)
		set_rest(agg, state, numeric);
}

static inline void
compare_numeric(const RdbAgg *agg, RdbAggState *state, int64 value, int scale, int digits)
{
	int64		key = value;
	int64		best = state->v.best.value;

	if (unlikely(state->rest != NULL))
	{
		compare_rest(agg, state, rdb_numeric_make(value, scale, digits));
		return;
	}
	if (unlikely(state->scale != scale) && state->count > 0 &&
		!(state->scale < scale ? rdb_int_rescale(&best, state->scale, scale) :
		  rdb_int_rescale(&key, scale, state->scale)))
	{
		compare_rest(agg, state, rdb_numeric_make(value, scale, digits));
		return;
	}
	if (state->count++ > 0 && stays(agg, best, key))
		return;
	state->v.best.value = value;
	state->scale = (int16) scale;
	state->digits = (int16) digits;
}

static void
compare_numerics(const RdbAgg *agg, const RdbAggTarget *target, const RdbValues *values)
{
	if (values->scales != NULL)
		EACH_VALUE(compare_numeric(agg, state, value, values->scale, (int) values->scales[i]));
	else
		EACH_VALUE(compare_numeric(agg, state, value, values->scale, values->scale));
}

static void
compare_values(const RdbAgg *agg, const RdbAggTarget *target, const RdbValues *values)
{
	if (agg->order == RDB_ORDER_SIGNED)
		EACH_VALUE(compare(agg, state, value, value));
	else
		EACH_VALUE(compare(agg, state, rdb_order_key(agg->order, value), value));
}

/* ---- adding ---- */

/*
 * Add values, each to its group.  Errors: 22003, of sums of floating-point numbers, as
 * their own functions raise it.
 */
void
rdb_agg_add(const RdbAgg *agg, const RdbAggTarget *target, const RdbValues *values)
{
	if (agg->kind == RDB_AGG_COUNT)
		rdb_agg_count(target, values->is_null, values->n);
	else if (agg->kind == RDB_AGG_MIN || agg->kind == RDB_AGG_MAX)
	{
		if (agg->type == RDB_VECTOR_NUMERIC)
			compare_numerics(agg, target, values);
		else
			compare_values(agg, target, values);
	}
	else if (agg->type == RDB_VECTOR_FLOAT4 || agg->type == RDB_VECTOR_FLOAT8)
		add_floats(agg, target, values);
	else
		add_ints(agg, target, values);
}

/* Count rows, but those that are NULL if that is asked. */
void
rdb_agg_count(const RdbAggTarget *target, const bool *is_null, uint32 n)
{
	int64		count = n;

	if (target->groups != NULL)
	{
		for (uint32 i = 0; i < n; i++)
			target->states[target->groups[i]][target->index].count += is_null == NULL || !is_null[i];
		return;
	}
	for (uint32 i = 0; i < n && is_null != NULL; i++)
		count -= is_null[i];
	target->states[0][target->index].count += count;
}

static void
add_numeric_datum(const RdbAgg *agg, RdbAggState *state, Datum value)
{
	Numeric		numeric = DatumGetNumeric(value);
	int64		integer;
	int			scale;
	bool		best = agg->kind == RDB_AGG_MIN || agg->kind == RDB_AGG_MAX;

	if (rdb_numeric_to_int(VARDATA(numeric), VARSIZE(numeric) - VARHDRSZ, &integer, &scale))
	{
		if (best)
			compare_numeric(agg, state, integer, scale, scale);
		else
			add_int(agg, state, integer, scale, scale);
	}
	else if (best)
		compare_rest(agg, state, numeric);
	else
	{
		add_rest(agg, state, numeric);
		state->count++;
	}
}

/* One value that is not NULL, in the current memory context if it needs memory.  Errors: as
 * rdb_agg_add(). */
void
rdb_agg_add_datum(const RdbAgg *agg, RdbAggState *state, Datum value)
{
	RdbAggTarget target = {&state, 0, NULL};
	int64		integer;
	RdbValues	values = {.values = &integer, .n = 1};

	if (agg->kind == RDB_AGG_COUNT)
		state->count++;
	else if (agg->type == RDB_VECTOR_NUMERIC)
		add_numeric_datum(agg, state, value);
	else
	{
		integer = rdb_by_value_int(value, agg->length);
		rdb_agg_add(agg, &target, &values);
	}
}

/* ---- results ---- */

static Datum
sum_of(const RdbAgg *agg, const RdbAggState *state)
{
	Numeric		numeric;

	switch (agg->type)
	{
		case RDB_VECTOR_INT2:
		case RDB_VECTOR_INT4:
			return Int64GetDatum((int64) state->v.sum);
		case RDB_VECTOR_FLOAT4:
			return Float4GetDatum((float4) state->v.floats.sum);
		case RDB_VECTOR_FLOAT8:
			return Float8GetDatum(state->v.floats.sum);
		default:
			numeric = rdb_numeric_make(state->v.sum, state->scale, state->digits);
			if (state->rest == NULL)
				return NumericGetDatum(numeric);
			return DirectFunctionCall2(numeric_add, NumericGetDatum(state->rest),
									   NumericGetDatum(numeric));
	}
}

static Datum
average_of(const RdbAgg *agg, const RdbAggState *state)
{
	RdbAgg		sum = *agg;

	if (agg->type == RDB_VECTOR_FLOAT4 || agg->type == RDB_VECTOR_FLOAT8)
		return Float8GetDatum(state->v.floats.sum / (float8) state->count);
	sum.type = RDB_VECTOR_NUMERIC;
	return DirectFunctionCall2(numeric_div, sum_of(&sum, state),
							   NumericGetDatum(int64_to_numeric(state->count)));
}

static Datum
best_of(const RdbAgg *agg, const RdbAggState *state)
{
	if (agg->type != RDB_VECTOR_NUMERIC)
		return rdb_by_value_datum(state->v.best.value, agg->length);
	return NumericGetDatum(state->rest ? state->rest :
						   rdb_numeric_make(state->v.best.value, state->scale, state->digits));
}

/* An aggregate's result, in the current memory context if it needs memory.  Errors: 22003. */
Datum
rdb_agg_result(const RdbAgg *agg, const RdbAggState *state, bool *is_null)
{
	*is_null = agg->kind != RDB_AGG_COUNT && state->count == 0;
	if (*is_null)
		return (Datum) 0;
	switch (agg->kind)
	{
		case RDB_AGG_COUNT:
			return Int64GetDatum(state->count);
		case RDB_AGG_SUM:
			return sum_of(agg, state);
		case RDB_AGG_AVG:
			return average_of(agg, state);
		default:
			return best_of(agg, state);
	}
}
