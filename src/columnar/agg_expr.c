/*
 * agg_expr.c
 *	  Expressions over columns, evaluated on many rows at once.
 *
 * Columns, constants, casts between numbers, and sums, differences and products: a step at
 * a time over all rows, as MonetDB/X100 does it (Boncz, Zukowski, Nes: CIDR 2005).
 * Numerics are integers times a power of ten, so that they are exact.  Nothing here is an
 * error: where a result does not fit, or a column does not lend itself, the answer is that
 * it cannot be said, and each row is asked the ordinary way, which may raise one.
 */
#include "postgres.h"

#include "columnar/agg_expr.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "columnar/numeric_int.h"
#include "compat/compat.h"
#include "fmgr.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

/* ---- what an expression says ---- */

/* Functions that are known: of arguments of any of the types that they are declared with. */
static const struct
{
	Oid			function;
	RdbExprKind kind;
	RdbVectorType type;			/* of the result */
}			functions[] = {
	{F_INT2PL, RDB_EXPR_ADD, RDB_VECTOR_INT2},
	{F_INT2MI, RDB_EXPR_SUBTRACT, RDB_VECTOR_INT2},
	{F_INT2MUL, RDB_EXPR_MULTIPLY, RDB_VECTOR_INT2},
	{F_INT4PL, RDB_EXPR_ADD, RDB_VECTOR_INT4},
	{F_INT4MI, RDB_EXPR_SUBTRACT, RDB_VECTOR_INT4},
	{F_INT4MUL, RDB_EXPR_MULTIPLY, RDB_VECTOR_INT4},
	{F_INT24PL, RDB_EXPR_ADD, RDB_VECTOR_INT4},
	{F_INT24MI, RDB_EXPR_SUBTRACT, RDB_VECTOR_INT4},
	{F_INT24MUL, RDB_EXPR_MULTIPLY, RDB_VECTOR_INT4},
	{F_INT42PL, RDB_EXPR_ADD, RDB_VECTOR_INT4},
	{F_INT42MI, RDB_EXPR_SUBTRACT, RDB_VECTOR_INT4},
	{F_INT42MUL, RDB_EXPR_MULTIPLY, RDB_VECTOR_INT4},
	{F_INT8PL, RDB_EXPR_ADD, RDB_VECTOR_INT8},
	{F_INT8MI, RDB_EXPR_SUBTRACT, RDB_VECTOR_INT8},
	{F_INT8MUL, RDB_EXPR_MULTIPLY, RDB_VECTOR_INT8},
	{F_INT28PL, RDB_EXPR_ADD, RDB_VECTOR_INT8},
	{F_INT28MI, RDB_EXPR_SUBTRACT, RDB_VECTOR_INT8},
	{F_INT28MUL, RDB_EXPR_MULTIPLY, RDB_VECTOR_INT8},
	{F_INT82PL, RDB_EXPR_ADD, RDB_VECTOR_INT8},
	{F_INT82MI, RDB_EXPR_SUBTRACT, RDB_VECTOR_INT8},
	{F_INT82MUL, RDB_EXPR_MULTIPLY, RDB_VECTOR_INT8},
	{F_INT48PL, RDB_EXPR_ADD, RDB_VECTOR_INT8},
	{F_INT48MI, RDB_EXPR_SUBTRACT, RDB_VECTOR_INT8},
	{F_INT48MUL, RDB_EXPR_MULTIPLY, RDB_VECTOR_INT8},
	{F_INT84PL, RDB_EXPR_ADD, RDB_VECTOR_INT8},
	{F_INT84MI, RDB_EXPR_SUBTRACT, RDB_VECTOR_INT8},
	{F_INT84MUL, RDB_EXPR_MULTIPLY, RDB_VECTOR_INT8},
	{F_NUMERIC_ADD, RDB_EXPR_ADD, RDB_VECTOR_NUMERIC},
	{F_NUMERIC_SUB, RDB_EXPR_SUBTRACT, RDB_VECTOR_NUMERIC},
	{F_NUMERIC_MUL, RDB_EXPR_MULTIPLY, RDB_VECTOR_NUMERIC},
	{F_FLOAT8PL, RDB_EXPR_ADD, RDB_VECTOR_FLOAT8},
	{F_FLOAT8MI, RDB_EXPR_SUBTRACT, RDB_VECTOR_FLOAT8},
	{F_FLOAT8MUL, RDB_EXPR_MULTIPLY, RDB_VECTOR_FLOAT8},
	{F_INT4_INT2, RDB_EXPR_WIDEN, RDB_VECTOR_INT4},
	{F_INT8_INT2, RDB_EXPR_WIDEN, RDB_VECTOR_INT8},
	{F_INT8_INT4, RDB_EXPR_WIDEN, RDB_VECTOR_INT8},
	{F_NUMERIC_INT2, RDB_EXPR_WIDEN, RDB_VECTOR_NUMERIC},
	{F_NUMERIC_INT4, RDB_EXPR_WIDEN, RDB_VECTOR_NUMERIC},
	{F_NUMERIC_INT8, RDB_EXPR_WIDEN, RDB_VECTOR_NUMERIC},
	{F_FLOAT8_INT2, RDB_EXPR_FLOAT, RDB_VECTOR_FLOAT8},
	{F_FLOAT8_INT4, RDB_EXPR_FLOAT, RDB_VECTOR_FLOAT8},
	{F_FLOAT8_INT8, RDB_EXPR_FLOAT, RDB_VECTOR_FLOAT8},
	{F_FLOAT8_FLOAT4, RDB_EXPR_FLOAT, RDB_VECTOR_FLOAT8},
};

static RdbVectorType
type_of(Oid type)
{
	switch (type)
	{
		case INT2OID:
			return RDB_VECTOR_INT2;
		case INT4OID:
			return RDB_VECTOR_INT4;
		case INT8OID:
			return RDB_VECTOR_INT8;
		case NUMERICOID:
			return RDB_VECTOR_NUMERIC;
		case FLOAT4OID:
			return RDB_VECTOR_FLOAT4;
		case FLOAT8OID:
			return RDB_VECTOR_FLOAT8;
		default:
			return RDB_VECTOR_OTHER;
	}
}

static RdbExpr *
make(RdbExprKind kind, RdbVectorType type)
{
	RdbExpr    *expr = palloc0(sizeof(RdbExpr));

	expr->kind = kind;
	expr->type = type;
	return expr;
}

static RdbExpr *
of_const(const Const *constant)
{
	RdbExpr    *expr = make(RDB_EXPR_CONST, type_of(constant->consttype));
	struct varlena *numeric;

	if (constant->constisnull)
		return NULL;
	switch (expr->type)
	{
		case RDB_VECTOR_INT2:
			expr->value = DatumGetInt16(constant->constvalue);
			return expr;
		case RDB_VECTOR_INT4:
			expr->value = DatumGetInt32(constant->constvalue);
			return expr;
		case RDB_VECTOR_INT8:
		case RDB_VECTOR_FLOAT8:
			expr->value = DatumGetInt64(constant->constvalue);
			return expr;
		case RDB_VECTOR_NUMERIC:
			numeric = PG_DETOAST_DATUM(constant->constvalue);
			return rdb_numeric_to_int(VARDATA(numeric), VARSIZE(numeric) - VARHDRSZ, &expr->value,
									  &expr->scale) ? expr : NULL;
		default:
			return NULL;
	}
}

static RdbExpr *
of_function(Oid function, List *args, Index relid)
{
	RdbExpr    *expr;
	int			i = 0;

	while (i < (int) lengthof(functions) && functions[i].function != function)
		i++;
	if (i == lengthof(functions))
		return NULL;
	expr = make(functions[i].kind, functions[i].type);
	expr->left = rdb_expr_make(linitial(args), relid);
	if (expr->left == NULL || list_length(args) == 1)
		return expr->left ? expr : NULL;
	expr->right = rdb_expr_make(lsecond(args), relid);
	return expr->right ? expr : NULL;
}

/*
 * An expression over columns of one table as one that can be evaluated on vectors; NULL:
 * it has something that is not known here.
 */
RdbExpr *
rdb_expr_make(Node *node, Index relid)
{
	if (IsA(node, Var))
	{
		const Var  *var = (const Var *) node;
		RdbExpr    *expr = make(RDB_EXPR_COLUMN, type_of(var->vartype));

		expr->attno = var->varattno;
		return var->varno == (int) relid && var->varlevelsup == 0 && var->varattno > 0 ? expr : NULL;
	}
	if (IsA(node, Const))
		return of_const((const Const *) node);
	if (IsA(node, OpExpr))
		return of_function(((OpExpr *) node)->opfuncid, ((OpExpr *) node)->args, relid);
	if (IsA(node, FuncExpr))
		return of_function(((FuncExpr *) node)->funcid, ((FuncExpr *) node)->args, relid);
	return NULL;
}

/* ---- evaluation ---- */

static int64 *
room_of(RdbExpr *expr)
{
	if (expr->room == NULL)
		expr->room = MemoryContextAlloc(GetMemoryChunkContext(expr), RDB_CHUNK_ROWS * sizeof(int64));
	return expr->room;
}

static bool *
null_room_of(RdbExpr *expr)
{
	if (expr->null_room == NULL)
		expr->null_room = MemoryContextAlloc(GetMemoryChunkContext(expr), RDB_CHUNK_ROWS);
	return expr->null_room;
}

static bool
lends_itself(const RdbExpr *expr, const RdbColumnData *data, bool is_top)
{
	if (expr->type == RDB_VECTOR_NUMERIC)
		return data->form == RDB_FORM_NUMERIC && (is_top || !data->has_shapes);
	return data->form == RDB_FORM_VALUE;
}

static const int64 *
gather(const int64 *from, const RdbSelection *selection, int64 *to)
{
	if (selection->is_run)
		return from + selection->rows[0];
	for (uint32 i = 0; i < selection->n; i++)
		to[i] = from[selection->rows[i]];
	return to;
}

static const bool *
gather_nulls(RdbExpr *expr, const RdbVector *vector, const RdbSelection *selection)
{
	bool	   *to;

	if (vector->nulls == 0)
		return NULL;
	if (selection->is_run)
		return vector->is_null + selection->rows[0];
	to = null_room_of(expr);
	for (uint32 i = 0; i < selection->n; i++)
		to[i] = vector->is_null[selection->rows[i]];
	return to;
}

static bool
evaluate_column(RdbExpr *expr, const RdbSelection *selection, RdbExprLoad load, void *context,
				bool is_top, RdbValues *out)
{
	const RdbColumnData *data = load(context, expr->attno);
	int64	   *scales;

	if (data == NULL || !lends_itself(expr, data, is_top))
		return false;
	out->values = gather(data->vector->values.ints, selection, room_of(expr));
	out->is_null = gather_nulls(expr, data->vector, selection);
	out->scale = expr->type == RDB_VECTOR_NUMERIC ? data->scale : 0;
	if (expr->type == RDB_VECTOR_NUMERIC && data->has_shapes)
	{
		scales = palloc(selection->n * sizeof(int64));
		out->scales = gather(data->shapes, selection, scales);
	}
	return true;
}

static bool
is_null_at(const RdbValues *values, uint32 i)
{
	return values->is_null != NULL && values->is_null[i];
}

/* Multiply by a power of ten; false: something does not fit. */
static bool
scale_up(RdbExpr *expr, RdbValues *values, int scale)
{
	int64	   *to = room_of(expr);
	int64		power = 1;
	bool		overflows = false;

	if (values->scale == scale)
		return true;
	if (!rdb_int_rescale(&power, values->scale, scale))
		return false;
	for (uint32 i = 0; i < values->n; i++)
		overflows |= __builtin_mul_overflow(values->values[i], power, &to[i]);
	values->values = to;
	values->scale = scale;
	return !overflows;
}

/* The NULLs of two operands. */
static void
merge_nulls(RdbExpr *expr, const RdbValues *left, const RdbValues *right, RdbValues *out)
{
	bool	   *to;

	out->is_null = left->is_null ? left->is_null : right->is_null;
	if (left->is_null == NULL || right->is_null == NULL)
		return;
	to = null_room_of(expr);
	for (uint32 i = 0; i < out->n; i++)
		to[i] = left->is_null[i] | right->is_null[i];
	out->is_null = to;
}

/* What of a row's overflow matters: that of one that is not NULL. */
#define EACH_CHECKED(operation) \
	do { \
		for (uint32 i = 0; i < n; i++) \
			if (unlikely(operation(a[i], b[i], &to[i])) && !is_null_at(out, i)) \
				return false; \
	} while (0)

/* Of integers; those of fewer than 64 bits do not overflow there, but their type may. */
static bool
compute_ints(RdbExpr *expr, const int64 *a, const int64 *b, const RdbValues *out)
{
	uint32		n = out->n;
	int64	   *to = room_of(expr);
	int64		most = expr->type == RDB_VECTOR_INT2 ? PG_INT16_MAX :
		expr->type == RDB_VECTOR_INT4 ? PG_INT32_MAX : PG_INT64_MAX;

	if (expr->kind == RDB_EXPR_ADD)
		EACH_CHECKED(__builtin_add_overflow);
	else if (expr->kind == RDB_EXPR_SUBTRACT)
		EACH_CHECKED(__builtin_sub_overflow);
	else
		EACH_CHECKED(__builtin_mul_overflow);
	for (uint32 i = 0; i < n && most != PG_INT64_MAX; i++)
	{
		if (unlikely(to[i] > most || to[i] < -most - 1) && !is_null_at(out, i))
			return false;
	}
	return true;
}

static inline float8
float_of(int64 bits)
{
	float8		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline int64
bits_of(float8 value)
{
	int64		bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* What float.h raises errors for is left to it. */
static bool
compute_floats(RdbExpr *expr, const int64 *a, const int64 *b, const RdbValues *out)
{
	int64	   *to = room_of(expr);

	for (uint32 i = 0; i < out->n; i++)
	{
		float8		x = float_of(a[i]);
		float8		y = float_of(b[i]);
		float8		result = expr->kind == RDB_EXPR_ADD ? x + y :
			expr->kind == RDB_EXPR_SUBTRACT ? x - y : x * y;

		if (unlikely((isinf(result) && !isinf(x) && !isinf(y)) ||
					 (expr->kind == RDB_EXPR_MULTIPLY && result == 0 && x != 0 && y != 0)) &&
			!is_null_at(out, i))
			return false;
		to[i] = bits_of(result);
	}
	return true;
}

static bool evaluate(RdbExpr *expr, const RdbSelection *selection, RdbExprLoad load,
					 void *context, bool is_top, RdbValues *out);

static bool
evaluate_operator(RdbExpr *expr, const RdbSelection *selection, RdbExprLoad load, void *context,
				  RdbValues *out)
{
	RdbValues	left;
	RdbValues	right;
	bool		fits;

	if (!evaluate(expr->left, selection, load, context, false, &left) ||
		!evaluate(expr->right, selection, load, context, false, &right))
		return false;
	merge_nulls(expr, &left, &right, out);
	if (expr->kind != RDB_EXPR_MULTIPLY)
	{
		out->scale = Max(left.scale, right.scale);
		if (!scale_up(expr->left, &left, out->scale) || !scale_up(expr->right, &right, out->scale))
			return false;
	}
	else
		out->scale = left.scale + right.scale;
	if (out->scale > RDB_NUMERIC_MOST_DIGITS)
		return false;
	fits = expr->type == RDB_VECTOR_FLOAT8 ? compute_floats(expr, left.values, right.values, out) :
		compute_ints(expr, left.values, right.values, out);
	out->values = expr->room;
	return fits;
}

static void
fill_const(RdbExpr *expr, RdbValues *out)
{
	int64	   *to = room_of(expr);

	for (uint32 i = 0; i < out->n; i++)
		to[i] = expr->value;
	out->values = to;
	out->scale = expr->scale;
}

static void
make_floats(RdbExpr *expr, RdbValues *values)
{
	int64	   *to = room_of(expr);

	for (uint32 i = 0; i < values->n; i++)
	{
		int32		low = (int32) values->values[i];
		float4		single;

		memcpy(&single, &low, sizeof(single));
		to[i] = bits_of(expr->left->type == RDB_VECTOR_FLOAT4 ? (float8) single :
						(float8) values->values[i]);
	}
	values->values = to;
}

static bool
evaluate(RdbExpr *expr, const RdbSelection *selection, RdbExprLoad load, void *context,
		 bool is_top, RdbValues *out)
{
	memset(out, 0, sizeof(*out));
	out->n = selection->n;
	switch (expr->kind)
	{
		case RDB_EXPR_COLUMN:
			return evaluate_column(expr, selection, load, context, is_top, out);
		case RDB_EXPR_CONST:
			fill_const(expr, out);
			return true;
		case RDB_EXPR_WIDEN:
			return evaluate(expr->left, selection, load, context, false, out);
		case RDB_EXPR_FLOAT:
			if (!evaluate(expr->left, selection, load, context, false, out))
				return false;
			make_floats(expr, out);
			return true;
		default:
			return evaluate_operator(expr, selection, load, context, out);
	}
}

/*
 * An expression's values in some rows, at least one, of a chunk; false: it must be asked
 * for each of them, and nothing was changed.  The values stay until it is evaluated again,
 * and as long as the chunk does; what of them is in the current memory context, as that.
 */
bool
rdb_expr_evaluate(RdbExpr *expr, const RdbSelection *selection, RdbExprLoad load, void *context,
				  RdbValues *out)
{
	return evaluate(expr, selection, load, context, true, out);
}
