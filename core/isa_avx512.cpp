#define WORDROW_ISA kernels_avx512
#define WORDROW_ISA_NAME "avx512"
#include "isa_kernels.inc"
