/*
 * page_crc.c
 *	  CRC-32C by PostgreSQL's own implementation.
 */
#include "postgres.h"

#include "page/page_crc.h"

#include "port/pg_crc32c.h"

uint32
rdb_crc32c(const void *data, Size len)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, data, len);
	FIN_CRC32C(crc);
	return crc;
}

/*
 * A PostgreSQL that was built for one kind of processor says so by macros.
 * One that was not looks at the processor when it computes its first CRC, and
 * then has the function in a pointer: slicing-by-8 where there is no
 * instruction.
 */
bool
rdb_crc32c_in_hardware(void)
{
#if defined(USE_SSE42_CRC32C_WITH_RUNTIME_CHECK) || \
	defined(USE_ARMV8_CRC32C_WITH_RUNTIME_CHECK)
	(void) pg_comp_crc32c(0, "", 0);
	return pg_comp_crc32c != pg_comp_crc32c_sb8;
#elif defined(USE_SLICING_BY_8_CRC32C)
	return false;
#else
	return true;
#endif
}
