#ifndef GFPCHECK_STDNORETURN_H
#define GFPCHECK_STDNORETURN_H
#define noreturn _Noreturn
#endif
