// The database's schema as a list of migrations: version n is reached by running the first n.
#ifndef WHERRY_STORE_SCHEMA_H
#define WHERRY_STORE_SCHEMA_H

#include "store/database.h"

namespace wherry::store {

int schema_version();

// Brings an empty or older database to the newest schema in one transaction. Fails with
// WHERRY_E_NEWER if it was written by a newer version, and leaves it as it was.
Status migrate(Connection& db);

}  // namespace wherry::store

#endif  // WHERRY_STORE_SCHEMA_H
