// How lines stand in Redis, as texts: reading and writing them. Pure.
#pragma once
#include "libs/redis/reply.hpp"
#include "services/queue/store/line_store.hpp"

namespace urr::queue {

inline std::string id_word(const IdBytes& id) { return id == IdBytes{} ? "-" : id_text(id); }
inline std::string word(std::uint64_t number) { return std::to_string(number); }
inline std::string word(Instant at) { return std::to_string(at.us); }

std::uint64_t number_of(std::string_view text);
inline Instant instant_of(std::string_view text) { return {std::int64_t(number_of(text))}; }
IdBytes id_of(std::string_view text);

// The words of a text between single spaces.
std::vector<std::string_view> words_of(std::string_view text);
// "epoch phase position arrival state entry admitted until fetched receipt"; BAD_GATEWAY.
Result<Member> member_of(std::string_view record, Instant seen);
// Names and values in turn, as HGETALL answers them.
HallRecord hall_of(const std::vector<Reply>& fields);
std::vector<std::string> hall_words(const HallRecord& hall);
// What of an organizer's pull is to be set.
std::vector<std::string> pull_words(const Pull& pull);
// Of each lever its name, value and the number of its pull.
std::vector<std::string> pulled_words(const Levers& levers);

} // namespace urr::queue
