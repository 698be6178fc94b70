/*
 * agg_numeric.c
 *	  Numerics from integers of 128 bits.
 */
#include "postgres.h"

#include "columnar/agg_numeric.h"

#include "utils/fmgrprotos.h"

/* sign, 39 digits, point, and up to 18 zeros before them */
#define ROOM 64

/*
 * The numeric that is value divided by 10^scale (0 to 18), with so many digits after its
 * point, 0 to scale; those that it has behind them are zeros.
 */
Numeric
rdb_numeric_make(int128 value, int scale, int digits)
{
	char		text[ROOM];
	char	   *end = &text[ROOM - 1];
	char	   *at = end;
	bool		negative = value < 0;

	*at = '\0';
	for (int place = 0; place <= scale || value != 0; place++)
	{
		int			digit = (int) (value % 10);

		if (place == scale && scale > 0)
			*--at = '.';
		*--at = (char) ('0' + abs(digit));
		value /= 10;
	}
	if (negative)
		*--at = '-';
	/* digits that are not wanted, or the point with them */
	if (digits < scale)
		end[-(scale - digits) - (digits == 0 ? 1 : 0)] = '\0';
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(at),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}
