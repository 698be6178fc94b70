/*
 * scan_quals.c
 *	  Simple conditions on columns, evaluated on chunks.
 *
 * A condition compares a column with something that is the same for all rows.  Where a
 * type's order is known here (group_order.h) it becomes a range of numbers, or a string;
 * the chunk's range says whether any row can satisfy it, and a loop over the decoded
 * values which ones do.  Whatever a chunk does not lend itself to is left to the
 * executor: nothing here may be wrong, but it may know nothing.
 */
#include "postgres.h"

#include "columnar/scan_quals.h"

#include "access/stratnum.h"
#include "catalog/pg_type_d.h"
#include "codec/bloom.h"
#include "columnar/group_bloom.h"
#include "columnar/group_ranges.h"
#include "columnar/numeric_int.h"
#include "compat/compat.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define MOST_VALUES 1024

/* ---- at planning ---- */

static Node *
strip(Node *node)
{
	while (node && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

/* A column of the table, or NULL. */
static Var *
column_of(Node *node, Index relid)
{
	Var		   *var = (Var *) strip(node);

	if (var == NULL || !IsA(var, Var) || var->varno != (int) relid || var->varlevelsup != 0 ||
		var->varattno <= 0)
		return NULL;
	return var;
}

/* Whether it has the same value for all rows of a scan. */
static bool
is_same_for_all(PlannerInfo *root, Node *node, Index relid)
{
	return !bms_is_member((int) relid, pull_varnos(root, node)) &&
		!contain_volatile_functions(node) && !contain_subplans(node) &&
		!contain_agg_clause(node);
}

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/* Whether values of a type can be compared with those of a column by the numbers, or
 * bytes, of both. */
static bool
is_comparable(Oid column, Oid value)
{
	if (column == value || (is_integer(column) && is_integer(value)))
		return true;
	return (column == VARCHAROID || column == TEXTOID) && (value == TEXTOID || value == VARCHAROID);
}

/* Equality is that of the bytes, or the order is. */
static RdbOrder
order_of(Oid type, Oid collation, RdbCompare compare)
{
	bool		by_equality = compare == RDB_EQUAL || compare == RDB_NOT_EQUAL;

	if (by_equality && (type == TEXTOID || type == VARCHAROID || type == BPCHAROID))
	{
		if (!OidIsValid(collation) || !get_collation_isdeterministic(collation))
			return RDB_ORDER_NONE;
		return type == BPCHAROID ? RDB_ORDER_PADDED : RDB_ORDER_BYTES;
	}
	return rdb_order_of(type, collation);
}

/* What a btree operator asks; false if it is none of the type's default operators. */
static bool
compare_of(Oid operator, Oid type, RdbCompare *compare, Oid *value_type)
{
	Oid			family = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
	Oid			negator;
	int			strategy;
	Oid			left;

	if (!OidIsValid(family))
		return false;
	*compare = RDB_NOT_EQUAL;
	if (op_in_opfamily(operator, family))
	{
		get_op_opfamily_properties(operator, family, false, &strategy, &left, value_type);
		*compare = (RdbCompare) (strategy - BTLessStrategyNumber);
		return true;
	}
	negator = get_negator(operator);
	if (!OidIsValid(negator) || !op_in_opfamily(negator, family))
		return false;
	get_op_opfamily_properties(negator, family, false, &strategy, &left, value_type);
	return strategy == BTEqualStrategyNumber;
}

static bool
shape_of_operator(PlannerInfo *root, OpExpr *op, Index relid, RdbQualShape *shape)
{
	Node	   *left;
	Node	   *right;
	Oid			operator = op->opno;
	Oid			value_type;
	Var		   *var;

	if (list_length(op->args) != 2)
		return false;
	left = linitial(op->args);
	right = lsecond(op->args);
	var = column_of(left, relid);
	if (var == NULL || !is_same_for_all(root, right, relid))
	{
		var = column_of(right, relid);
		operator = get_commutator(operator);
		right = left;
	}
	if (var == NULL || !OidIsValid(operator) || !is_same_for_all(root, right, relid) ||
		!compare_of(operator, var->vartype, &shape->compare, &value_type) ||
		!is_comparable(var->vartype, exprType(strip(right))) ||
		!is_comparable(exprType(right), exprType(strip(right))))
		return false;
	shape->kind = RDB_QUAL_COMPARE;
	shape->attno = var->varattno;
	shape->value = (Expr *) right;
	shape->order = order_of(var->vartype, op->inputcollid, shape->compare);
	return shape->order != RDB_ORDER_NONE;
}

static bool
shape_of_any(PlannerInfo *root, ScalarArrayOpExpr *op, Index relid, RdbQualShape *shape)
{
	Var		   *var = column_of(linitial(op->args), relid);
	Node	   *array = lsecond(op->args);
	Oid			value_type;
	Oid			element;

	if (var == NULL || !op->useOr || !is_same_for_all(root, array, relid) ||
		!compare_of(op->opno, var->vartype, &shape->compare, &value_type) ||
		shape->compare != RDB_EQUAL)
		return false;
	element = get_element_type(exprType(strip(array)));
	if (!OidIsValid(element) || !is_comparable(var->vartype, element))
		return false;
	shape->kind = RDB_QUAL_ANY;
	shape->attno = var->varattno;
	shape->value = (Expr *) array;
	shape->order = order_of(var->vartype, op->inputcollid, RDB_EQUAL);
	return shape->order != RDB_ORDER_NONE;
}

static bool
shape_of_test(Node *column, Index relid, RdbQualKind kind, RdbQualShape *shape)
{
	Var		   *var = column_of(column, relid);

	if (var == NULL)
		return false;
	shape->kind = kind;
	shape->attno = var->varattno;
	shape->order = RDB_ORDER_SIGNED;
	return true;
}

/* What a clause says of one column of the table; false: nothing that is known here.  root
 * may be NULL in a plan, which has no placeholders any more. */
bool
rdb_qual_shape(PlannerInfo *root, Node *clause, Index relid, RdbQualShape *shape)
{
	memset(shape, 0, sizeof(*shape));
	if (IsA(clause, OpExpr))
		return shape_of_operator(root, (OpExpr *) clause, relid, shape);
	if (IsA(clause, ScalarArrayOpExpr))
		return shape_of_any(root, (ScalarArrayOpExpr *) clause, relid, shape);
	if (IsA(clause, NullTest) && !((NullTest *) clause)->argisrow)
		return shape_of_test((Node *) ((NullTest *) clause)->arg, relid,
							 ((NullTest *) clause)->nulltesttype == IS_NULL ? RDB_QUAL_NULL :
							 RDB_QUAL_NOT_NULL, shape);
	if (IsA(clause, Var) && ((Var *) clause)->vartype == BOOLOID)
		return shape_of_test(clause, relid, RDB_QUAL_TRUE, shape);
	if (is_notclause(clause) && IsA(get_notclausearg(clause), Var))
		return shape_of_test((Node *) get_notclausearg(clause), relid, RDB_QUAL_FALSE, shape);
	return false;
}

/* ---- values ---- */

static int
length_of(Oid type)
{
	return type == FLOAT8OID ? 8 : type == FLOAT4OID ? 4 : 0;
}

/* A value in the order's terms; false if it has none. */
static bool
take_value(RdbQual *qual, Oid type, Datum datum, RdbQualValue *value)
{
	struct varlena *varlena;
	MemoryContext before;
	bool		taken = true;

	memset(value, 0, sizeof(*value));
	switch (qual->shape.order)
	{
		case RDB_ORDER_SIGNED:
			value->key = get_typlen(type) == 8 ? DatumGetInt64(datum) :
				get_typlen(type) == 4 ? DatumGetInt32(datum) :
				get_typlen(type) == 2 ? DatumGetInt16(datum) : (int64) DatumGetChar(datum);
			return true;
		case RDB_ORDER_UNSIGNED:
			value->key = (int64) DatumGetObjectId(datum);
			return true;
		case RDB_ORDER_FLOAT4:
		case RDB_ORDER_FLOAT8:
			value->key = rdb_order_key(qual->shape.order, length_of(type) == 8 ?
									   DatumGetInt64(datum) : DatumGetInt32(datum));
			return true;
		default:
			break;
	}
	before = MemoryContextSwitchTo(qual->context);
	if (get_typlen(type) > 0)
		value->bytes = (RdbBytes) {memcpy(palloc(get_typlen(type)), DatumGetPointer(datum),
										  get_typlen(type)), (uint32) get_typlen(type)};
	else
	{
		varlena = PG_DETOAST_DATUM_COPY(datum);
		value->bytes = (RdbBytes) {(uint8 *) VARDATA(varlena), VARSIZE(varlena) - VARHDRSZ};
	}
	MemoryContextSwitchTo(before);
	if (qual->shape.order == RDB_ORDER_NUMERIC)
		taken = rdb_numeric_to_int((const char *) value->bytes.data, value->bytes.length,
								   &value->key, &value->scale);
	else
		value->bytes = rdb_order_bytes(qual->shape.order, value->bytes);
	return taken;
}

static void
take_array(RdbQual *qual, Datum datum)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);
	Oid			type = ARR_ELEMTYPE(array);
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int16		length;
	bool		by_value;
	char		align;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(array, type, length, by_value, align, &values, &nulls, &n);
	qual->n = 0;
	qual->usable = n <= MOST_VALUES;
	qual->values = MemoryContextAlloc(qual->context, Max(n, 1) * sizeof(RdbQualValue));
	for (int i = 0; i < n && qual->usable; i++)
	{
		if (!nulls[i])
			qual->usable = take_value(qual, type, values[i], &qual->values[qual->n++]);
	}
	qual->never = qual->usable && qual->n == 0;
}

/* Conditions of a plan on a table, ready to be evaluated, in the current memory context. */
RdbQual *
rdb_quals_begin(List *clauses, Index relid, PlanState *parent)
{
	RdbQual    *quals = palloc0(Max(list_length(clauses), 1) * sizeof(RdbQual));
	RdbQual    *qual = quals;
	ListCell   *cell;

	foreach(cell, clauses)
	{
		if (!rdb_qual_shape(NULL, lfirst(cell), relid, &qual->shape))
			elog(ERROR, "a condition of a columnar scan is not what it was planned to be");
		if (qual->shape.value)
			qual->value = ExecInitExpr(qual->shape.value, parent);
		qual->context = AllocSetContextCreate(CurrentMemoryContext, "condition's values",
											  ALLOCSET_SMALL_SIZES);
		qual++;
	}
	return quals;
}

/* Evaluate what the column is compared with. */
void
rdb_qual_evaluate(RdbQual *qual, ExprContext *context)
{
	Datum		datum;
	bool		is_null;

	if (qual->is_known)
		return;
	qual->is_known = true;
	qual->never = false;
	qual->usable = true;
	if (qual->value == NULL)
		return;
	MemoryContextReset(qual->context);
	datum = ExecEvalExprSwitchContext(qual->value, context, &is_null);
	qual->never = is_null;		/* comparisons are strict */
	if (is_null)
		return;
	if (qual->shape.kind == RDB_QUAL_ANY)
	{
		/* the array and what is made of it are kept with its values */
		MemoryContext before = MemoryContextSwitchTo(qual->context);

		take_array(qual, datum);
		MemoryContextSwitchTo(before);
		return;
	}
	qual->n = 1;
	qual->values = MemoryContextAlloc(qual->context, sizeof(RdbQualValue));
	qual->usable = take_value(qual, exprType((Node *) qual->shape.value), datum, qual->values);
}

/* ---- ranges ---- */

typedef struct Range
{
	int64		low;
	int64		high;			/* below low: nothing */
} Range;

/* Of a numeric, at a chunk's scale: the greatest integer that is not greater; whether it is
 * the same. */
static bool
rescale(const RdbQualValue *value, int scale, int64 *floor, bool *exact)
{
	int64		power = 1;

	*floor = value->key;
	*exact = true;
	if (value->scale <= scale)
		return rdb_int_rescale(floor, value->scale, scale);
	if (!rdb_int_rescale(&power, 0, value->scale - scale))
		return false;
	*exact = value->key % power == 0;
	*floor = value->key / power - (!*exact && value->key < 0);
	return true;
}

/* Which integers of a chunk satisfy a comparison with a value; false: nobody knows. */
static bool
range_of(RdbCompare compare, RdbOrder order, const RdbQualValue *value, int scale, Range *range)
{
	int64		key = value->key;
	bool		exact = true;

	if (order == RDB_ORDER_NUMERIC && !rescale(value, scale, &key, &exact))
		return false;
	*range = (Range) {PG_INT64_MIN, PG_INT64_MAX};
	switch (compare)
	{
		case RDB_LESS:
			if (exact && key == PG_INT64_MIN)
				range->low = PG_INT64_MAX, range->high = PG_INT64_MIN;
			else
				range->high = exact ? key - 1 : key;
			break;
		case RDB_LESS_EQUAL:
			range->high = key;
			break;
		case RDB_EQUAL:
		case RDB_NOT_EQUAL:
			range->low = range->high = key;
			if (!exact)
				range->low = PG_INT64_MAX, range->high = PG_INT64_MIN;
			break;
		case RDB_GREATER_EQUAL:
			if (!exact && key == PG_INT64_MAX)
				range->high = PG_INT64_MIN;
			else
				range->low = exact ? key : key + 1;
			break;
		case RDB_GREATER:
			if (key == PG_INT64_MAX)
				range->high = PG_INT64_MIN;
			else
				range->low = key + 1;
			break;
	}
	return true;
}

static bool
is_bytes(RdbOrder order)
{
	return order == RDB_ORDER_BYTES || order == RDB_ORDER_PADDED;
}

/* How a string compares with a bound of a chunk: 0 also if that was cut, and nobody
 * knows. */
static int
compare_bound(const RdbGroup *group, RdbBytes value, int64 bound)
{
	const RdbGroupHeader *header = group->header;
	uint64		at = (uint64) header->ranges_at + RdbBoundOffset(bound);
	RdbBytes	bytes;

	if (at + RdbBoundLength(bound) > header->footer_size)
		return 0;
	bytes = (RdbBytes) {(const uint8 *) group->footer + at, RdbBoundLength(bound)};
	if (RdbBoundIsCut(bound) && value.length >= bytes.length &&
		memcmp(value.data, bytes.data, bytes.length) == 0)
		return 0;
	return rdb_bytes_compare(value, bytes);
}

static bool
may_match_bytes(RdbCompare compare, const RdbGroup *group, RdbBytes value,
				const RdbGroupChunk *chunk)
{
	int			to_min = compare_bound(group, value, chunk->min);
	int			to_max = compare_bound(group, value, chunk->max);

	switch (compare)
	{
		case RDB_LESS:
		case RDB_LESS_EQUAL:
			return to_min >= 0;
		case RDB_EQUAL:
			return to_min >= 0 && to_max <= 0;
		case RDB_GREATER_EQUAL:
		case RDB_GREATER:
			return to_max <= 0;
		case RDB_NOT_EQUAL:
			break;
	}
	return true;
}

static bool
may_match(const RdbQual *qual, const RdbQualValue *value, const RdbGroup *group,
		  const RdbGroupChunk *chunk)
{
	Range		range;

	if (is_bytes(qual->shape.order))
		return may_match_bytes(qual->shape.compare, group, value->bytes, chunk);
	if (qual->shape.compare == RDB_NOT_EQUAL)
		return true;
	if (!range_of(qual->shape.compare, qual->shape.order, value, chunk->scale, &range))
		return true;
	return range.low <= range.high && range.low <= chunk->max && range.high >= chunk->min;
}

static uint64
hash_of(const RdbQual *qual, const RdbQualValue *value)
{
	return is_bytes(qual->shape.order) ? rdb_bloom_hash_bytes(value->bytes) :
		rdb_bloom_hash_int(value->key);
}

/* Whether a chunk can have any of the values, by its Bloom filter if it has one. */
static RdbVerdict
ask_bloom(Relation rel, const RdbQual *qual, const RdbGroup *group, uint32 i)
{
	const RdbGroupChunk *chunk = rdb_group_chunk(group, qual->shape.attno - 1, i);
	RdbVerdict	verdict = RDB_NO_ROW;
	uint8	   *filter;

	if (chunk->bloom_size == 0 ||
		(qual->shape.kind == RDB_QUAL_COMPARE && qual->shape.compare != RDB_EQUAL))
		return RDB_SOME_ROWS;
	filter = rdb_group_bloom(rel, group, qual->shape.attno - 1, i);
	for (int j = 0; j < qual->n && verdict == RDB_NO_ROW; j++)
	{
		if (rdb_bloom_may_have(filter, chunk->bloom_size, hash_of(qual, &qual->values[j])))
			verdict = RDB_SOME_ROWS;
	}
	pfree(filter);
	return verdict;
}

/* Whether any row of a chunk can satisfy a condition, by what the footer says, and its Bloom
 * filter.  The column
 * is one of the group's, and all rows have it. */
RdbVerdict
rdb_qual_chunk(Relation rel, const RdbQual *qual, const RdbGroup *group, uint32 i)
{
	const RdbGroupChunk *chunk = rdb_group_chunk(group, qual->shape.attno - 1, i);
	uint32		rows = rdb_group_rows_of(group, i);

	if (qual->never)
		return RDB_NO_ROW;
	if (qual->shape.kind == RDB_QUAL_NULL)
		return chunk->nulls == 0 ? RDB_NO_ROW : RDB_SOME_ROWS;
	if (chunk->nulls == rows)
		return RDB_NO_ROW;
	if (qual->shape.kind != RDB_QUAL_COMPARE && qual->shape.kind != RDB_QUAL_ANY)
		return RDB_SOME_ROWS;
	if (!qual->usable)
		return RDB_UNDECIDED;
	if (!rdb_ranges_are_in(qual->shape.order, &group->columns[qual->shape.attno - 1], chunk))
		return ask_bloom(rel, qual, group, i);
	for (int j = 0; j < qual->n; j++)
	{
		if (may_match(qual, &qual->values[j], group, chunk))
			return ask_bloom(rel, qual, group, i);
	}
	return RDB_NO_ROW;
}

/* ---- rows ---- */

/* Keep the rows for which something is true of the value. */
#define FILTER(condition) \
	do { \
		uint32		kept = 0; \
		for (uint32 i = 0; i < *n; i++) \
		{ \
			uint32		row = rows[i]; \
			rows[kept] = (uint16) row; \
			kept += (condition) ? 1 : 0; \
		} \
		*n = kept; \
	} while (0)

static void
filter_range(RdbOrder order, const int64 *ints, const Range *range, bool negate, uint16 *rows,
			 uint32 *n)
{
	uint64		low = (uint64) range->low;
	uint64		span = (uint64) range->high - low;

	if (range->low > range->high)
	{
		if (!negate)
			*n = 0;
	}
	else if (order == RDB_ORDER_SIGNED || order == RDB_ORDER_NUMERIC)
		FILTER(((uint64) ints[row] - low <= span) != negate);
	else
		FILTER(((uint64) rdb_order_key(order, ints[row]) - low <= span) != negate);
}

static bool
equals_any(const RdbQual *qual, const RdbQualValue *value)
{
	for (int i = 0; i < qual->n; i++)
	{
		if (is_bytes(qual->shape.order) ? rdb_bytes_compare(value->bytes, qual->values[i].bytes) == 0 :
			value->key == qual->values[i].key)
			return true;
	}
	return false;
}

/* Of the values that are asked for, those that a chunk of numerics can have, at its
 * scale. */
static RdbVerdict
filter_any_numeric(const RdbQual *qual, const RdbColumnData *data, uint16 *rows, uint32 *n)
{
	int64		keys[64];
	int			nkeys = 0;

	if (qual->n > (int) lengthof(keys))
		return RDB_UNDECIDED;
	for (int i = 0; i < qual->n; i++)
	{
		bool		exact;

		if (!rescale(&qual->values[i], data->scale, &keys[nkeys], &exact))
			return RDB_UNDECIDED;
		nkeys += exact;
	}
	{
		uint32		kept = 0;

		for (uint32 i = 0; i < *n; i++)
		{
			int			j = 0;

			while (j < nkeys && keys[j] != data->vector->values.ints[rows[i]])
				j++;
			rows[kept] = rows[i];
			kept += j < nkeys;
		}
		*n = kept;
	}
	return RDB_SOME_ROWS;
}

static RdbVerdict
filter_any(const RdbQual *qual, const RdbColumnData *data, uint16 *rows, uint32 *n)
{
	RdbOrder	order = qual->shape.order;
	uint32		kept = 0;

	if (order == RDB_ORDER_NUMERIC)
		return filter_any_numeric(qual, data, rows, n);
	for (uint32 i = 0; i < *n; i++)
	{
		RdbQualValue value = {0};

		if (is_bytes(order))
			value.bytes = rdb_order_bytes(order, data->vector->values.bytes[rows[i]]);
		else
			value.key = rdb_order_key(order, data->vector->values.ints[rows[i]]);
		rows[kept] = rows[i];
		kept += equals_any(qual, &value);
	}
	*n = kept;
	return RDB_SOME_ROWS;
}

static bool
satisfies(RdbCompare compare, int order)
{
	switch (compare)
	{
		case RDB_LESS:
			return order < 0;
		case RDB_LESS_EQUAL:
			return order <= 0;
		case RDB_EQUAL:
			return order == 0;
		case RDB_GREATER_EQUAL:
			return order >= 0;
		case RDB_GREATER:
			return order > 0;
		case RDB_NOT_EQUAL:
			return order != 0;
	}
	return false;
}

static inline bool
is_equal(RdbBytes a, RdbBytes b)
{
	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

static void
filter_bytes(const RdbQual *qual, const RdbBytes *bytes, uint16 *rows, uint32 *n)
{
	RdbOrder	order = qual->shape.order;
	RdbCompare	compare = qual->shape.compare;
	RdbBytes	value = qual->values[0].bytes;

	if (order == RDB_ORDER_BYTES && compare == RDB_EQUAL)
		FILTER(is_equal(bytes[row], value));
	else if (order == RDB_ORDER_BYTES && compare == RDB_NOT_EQUAL)
		FILTER(!is_equal(bytes[row], value));
	else
		FILTER(satisfies(compare, rdb_bytes_compare(rdb_order_bytes(order, bytes[row]), value)));
}

static void
drop_nulls(const RdbVector *vector, uint16 *rows, uint32 *n)
{
	if (vector->nulls > 0)
		FILTER(!vector->is_null[row]);
}

static RdbVerdict
filter_compare(const RdbQual *qual, const RdbColumnData *data, uint16 *rows, uint32 *n)
{
	Range		range;

	if (is_bytes(qual->shape.order))
	{
		filter_bytes(qual, data->vector->values.bytes, rows, n);
		return RDB_SOME_ROWS;
	}
	if (!range_of(qual->shape.compare, qual->shape.order, qual->values, data->scale, &range))
		return RDB_UNDECIDED;
	filter_range(qual->shape.order, data->vector->values.ints, &range,
				 qual->shape.compare == RDB_NOT_EQUAL, rows, n);
	return RDB_SOME_ROWS;
}

/* Whether values can be compared as they lie in the chunk: in the order's terms, none of
 * them compressed or in TOAST. */
static bool
lends_itself(const RdbQual *qual, const RdbGroup *group, const RdbColumnData *data)
{
	const RdbGroupColumn *column = &group->columns[qual->shape.attno - 1];

	if (!qual->usable)
		return false;
	switch (qual->shape.order)
	{
		case RDB_ORDER_NUMERIC:
			return data->form == RDB_FORM_NUMERIC;
		case RDB_ORDER_BYTES:
		case RDB_ORDER_PADDED:
			return (data->form == RDB_FORM_VARLENA && !data->has_shapes) ||
				(data->form == RDB_FORM_BYTES && column->length > 0);
		default:
			return data->form == RDB_FORM_VALUE;
	}
}

/*
 * Keep those of n rows of a chunk that satisfy a condition; RDB_UNDECIDED: that cannot be
 * said, and rows are left as they were.
 */
RdbVerdict
rdb_qual_filter(const RdbQual *qual, const RdbGroup *group, const RdbColumnData *data,
				uint16 *rows, uint32 *n)
{
	const RdbVector *vector = data->vector;

	switch (qual->shape.kind)
	{
		case RDB_QUAL_NULL:
			if (vector->nulls == 0)
				*n = 0;
			else
				FILTER(vector->is_null[row]);
			return RDB_SOME_ROWS;
		case RDB_QUAL_NOT_NULL:
			drop_nulls(vector, rows, n);
			return RDB_SOME_ROWS;
		case RDB_QUAL_TRUE:
		case RDB_QUAL_FALSE:
			drop_nulls(vector, rows, n);
			FILTER((vector->values.ints[row] != 0) == (qual->shape.kind == RDB_QUAL_TRUE));
			return RDB_SOME_ROWS;
		default:
			break;
	}
	if (!lends_itself(qual, group, data))
		return RDB_UNDECIDED;
	drop_nulls(vector, rows, n);
	return qual->shape.kind == RDB_QUAL_ANY ? filter_any(qual, data, rows, n) :
		filter_compare(qual, data, rows, n);
}
