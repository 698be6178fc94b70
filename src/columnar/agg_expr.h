/*
 * agg_expr.h
 *	  Expressions over columns, evaluated on many rows at once.
 */
#ifndef RDB_AGG_EXPR_H
#define RDB_AGG_EXPR_H

#include "columnar/group_column.h"
#include "nodes/primnodes.h"

/* What a vector's 64-bit integers stand for. */
typedef enum RdbVectorType
{
	RDB_VECTOR_INT2,
	RDB_VECTOR_INT4,
	RDB_VECTOR_INT8,
	RDB_VECTOR_NUMERIC,			/* times 10^scale */
	RDB_VECTOR_FLOAT4,			/* their bits, as a float4 has them */
	RDB_VECTOR_FLOAT8,
	RDB_VECTOR_OTHER			/* values of another type, of 1 to 8 bytes */
} RdbVectorType;

typedef enum RdbExprKind
{
	RDB_EXPR_COLUMN,
	RDB_EXPR_CONST,
	RDB_EXPR_WIDEN,				/* to a type that has the same integer */
	RDB_EXPR_FLOAT,				/* to float8 */
	RDB_EXPR_ADD,
	RDB_EXPR_SUBTRACT,
	RDB_EXPR_MULTIPLY
} RdbExprKind;

typedef struct RdbExpr
{
	RdbExprKind kind;
	RdbVectorType type;
	AttrNumber	attno;
	int64		value;			/* of a constant */
	int			scale;
	struct RdbExpr *left;
	struct RdbExpr *right;
	int64	   *room;			/* for values and NULLs of RDB_CHUNK_ROWS rows, once needed */
	bool	   *null_room;
} RdbExpr;

/* Values of so many rows, one after the other. */
typedef struct RdbValues
{
	const int64 *values;
	const bool *is_null;		/* NULL: none is */
	uint32		n;
	int			scale;			/* of numerics: the digits after the point */
	const int64 *scales;		/* or of each row; only of a column that is not computed with */
} RdbValues;

/* Rows of a chunk. */
typedef struct RdbSelection
{
	const uint16 *rows;
	uint32		n;
	bool		is_run;			/* they follow on each other */
} RdbSelection;

/* Have a column's chunk decoded; NULL: not all its rows have the column as it is now. */
typedef const RdbColumnData *(*RdbExprLoad) (void *context, AttrNumber attno);

extern RdbExpr *rdb_expr_make(Node *node, Index relid);
extern bool rdb_expr_evaluate(RdbExpr *expr, const RdbSelection *selection, RdbExprLoad load,
							  void *context, RdbValues *out);

#endif							/* RDB_AGG_EXPR_H */
