// Tells those who believe access tokens which sessions have ended, so that no token of theirs is
// believed any more. The use case that ended them tells at once. What a process did not tell, since
// it died behind its commit or never learned the outcome, the store tells: at the start, and to
// every process of auth once a second.
//
// A reading asks for what ended since the last one that was seen, by the store's time, and for the
// ten seconds before that, since a commit may come late. What came later still (a commit that
// waited for a standby, servers whose clocks differ) is found each minute, and behind a reading
// that failed, by one of the last two minutes. Where 100,000 end in two minutes a reading so has
// some 9,200 rows, ten pages, and that of each minute a hundred; where nothing ends, none.
#pragma once
#include "libs/contract/ended_sessions.hpp"
#include "libs/core/clock.hpp"
#include "services/auth/store/sessions.hpp"

namespace urr::auth {

class Endings {
public:
    // Between a store and the processes of auth, together with how long a commit takes.
    static constexpr Duration clocks_apart_max = minutes(1);

    // `access_life`: of the tokens. `rows_read` counts. All of them outlive it.
    Endings(Database& database, const Clock& clock, EndedSessions& told, Duration access_life,
            Counter& rows_read)
        : database_(database), clock_(clock), told_(told), rows_read_(rows_read),
          kept_(access_life + clocks_apart_max), from_(clock.now() - kept_) {}

    // They have just ended: behind the commit, before the answer.
    void tell(const Ended& sessions);
    // All that the store knows to have ended while a token may be about; before the first request.
    Task<Result<void>> read(Context context);
    // Goes on reading, and forgets what has expired, until destroyed.
    Task<> run();
    // How long a session that ended is told, and its row is needed.
    Duration kept() const { return kept_; }

private:
    // When the last one ended that the store has; `from`: none did behind it.
    Task<Result<Instant>> read_from(Context context, Instant from, Instant now);

    Database& database_;
    const Clock& clock_;
    EndedSessions& told_;
    Counter& rows_read_;
    const Duration kept_;
    Instant from_;       // what ended before, by the store's time, has been read
    Instant look_again_; // at the two minutes before
};

} // namespace urr::auth
