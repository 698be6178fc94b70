/*
 * numeric_int.c
 *	  Numerics as integers: times a power of ten.
 *
 * The format on disk is that of numeric.c's short form: a header of 16 bits (two that
 * say "short", sign, digits after the point, weight) and digits of base 10,000, the
 * first of which counts 10,000^weight.  There are none of value 0 at either end.
 *
 * Whoever stores a numeric as an integer sees before that it comes back as it was.
 *
 * Pure.
 */
#include "postgres.h"

#include "columnar/numeric_int.h"

#define SHORT_FORM 0x8000
#define SPECIAL_FORM 0xC000
#define FORM_MASK 0xC000
#define SHORT_SIGN 0x2000
#define SHORT_SCALE(header) (((header) >> 7) & 0x3F)
#define SHORT_WEIGHT(header) (((header) & 0x40 ? ~0x3F : 0) | ((header) & 0x3F))

#define BASE 10000
#define BASE_DIGITS 4

static const int64 powers[] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
	INT64CONST(10000000000), INT64CONST(100000000000), INT64CONST(1000000000000),
	INT64CONST(10000000000000), INT64CONST(100000000000000), INT64CONST(1000000000000000),
	INT64CONST(10000000000000000), INT64CONST(100000000000000000),
	INT64CONST(1000000000000000000)
};

/* Multiply or divide by a power of ten; false if it overflows, or is not exact. */
bool
rdb_int_rescale(int64 *value, int from, int to)
{
	if (from < 0 || to < 0 || abs(to - from) > RDB_NUMERIC_MOST_DIGITS)
		return false;
	if (to >= from)
		return !__builtin_mul_overflow(*value, powers[to - from], value);
	if (*value % powers[from - to] != 0)
		return false;
	*value /= powers[from - to];
	return true;
}

/*
 * What follows a numeric's varlena header, as an integer and the number of digits after
 * the point; false if it does not fit, or is NaN or infinite.
 */
bool
rdb_numeric_to_int(const char *payload, uint32 length, int64 *value, int *scale)
{
	uint16		header;
	int			ndigits = (int) (length / 2) - 1;
	int			weight;
	int64		result = 0;

	if (length < 2 || length % 2 != 0 || length > RDB_NUMERIC_ROOM)
		return false;
	memcpy(&header, payload, sizeof(header));
	if ((header & FORM_MASK) != SHORT_FORM)
		return false;
	*scale = SHORT_SCALE(header);
	weight = SHORT_WEIGHT(header);
	if (*scale > RDB_NUMERIC_MOST_DIGITS)
		return false;
	for (int i = 0; i < ndigits; i++)
	{
		int16		digit;
		int64		part;
		int			exponent = (weight - i) * BASE_DIGITS + *scale;

		memcpy(&digit, payload + 2 + 2 * i, sizeof(digit));
		if (digit < 0 || digit >= BASE || exponent < -BASE_DIGITS ||
			exponent > RDB_NUMERIC_MOST_DIGITS)
			return false;
		part = digit;
		if (exponent >= 0 ? !rdb_int_rescale(&part, 0, exponent) :
			!rdb_int_rescale(&part, -exponent, 0))
			return false;
		if (__builtin_add_overflow(result, part, &result))
			return false;
	}
	*value = header & SHORT_SIGN ? -result : result;
	return true;
}

/* The digits of a number that is below BASE^5, the last first; returns how many. */
static int
split(int64 number, int16 *digits)
{
	int			n = 0;

	for (; number > 0; number /= BASE)
		digits[n++] = (int16) (number % BASE);
	return n;
}

/*
 * The way back, canonical as numeric.c's make_result() is: what follows the varlena
 * header; returns how many bytes, at most RDB_NUMERIC_ROOM.
 */
uint32
rdb_numeric_from_int(int64 value, int scale, char *payload)
{
	uint64		number = value < 0 ? -(uint64) value : (uint64) value;
	int			after = (scale + BASE_DIGITS - 1) / BASE_DIGITS;
	int64		fraction = (int64) (number % (uint64) powers[scale]) *
		powers[after * BASE_DIGITS - scale > 0 ? after * BASE_DIGITS - scale : 0];
	int16		whole[6];
	int16		parts[6];
	int16		digits[12];
	int			nwhole = split((int64) (number / (uint64) powers[scale]), whole);
	int			nparts;
	int			n = 0;
	int			first = 0;
	int			weight;
	uint16		header;

	memset(parts, 0, sizeof(parts));
	nparts = split(fraction, parts);
	for (int i = nwhole - 1; i >= 0; i--)
		digits[n++] = whole[i];
	for (int i = after - 1; i >= 0; i--)
		digits[n++] = i < nparts ? parts[i] : 0;
	weight = nwhole - 1;
	while (first < n && digits[first] == 0)
	{
		first++;
		weight--;
	}
	while (n > first && digits[n - 1] == 0)
		n--;
	if (n == first)
		weight = 0;
	header = (uint16) (SHORT_FORM | (value < 0 ? SHORT_SIGN : 0) | scale << 7 |
					   (weight < 0 ? 0x40 : 0) | (weight & 0x3F));
	memcpy(payload, &header, sizeof(header));
	memcpy(payload + 2, &digits[first], (n - first) * sizeof(int16));
	return (uint32) (2 + (n - first) * sizeof(int16));
}
