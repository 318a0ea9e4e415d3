/* Chance from a seed. See dice.h. */
#include "dice.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

static uint64_t the_state;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void dice_seed(uint64_t seed)
{
    the_state = seed;
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(seed | 1), NULL);
}

/* libcrypto's, of which lib/crypto draws all that is random; this one stands before it. */
int RAND_priv_bytes(unsigned char *out, int len);
int RAND_priv_bytes(unsigned char *out, int len)
{
    pthread_mutex_lock(&lock);
    while (len > 0) {
        uint64_t drawn = dice_next(&the_state);
        int n = len < 8 ? len : 8;
        memcpy(out, &drawn, (size_t)n);
        out += n;
        len -= n;
    }
    pthread_mutex_unlock(&lock);
    return 1;
}
