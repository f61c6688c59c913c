// Published<T>: a small value that one thread writes and any thread reads without a lock: a
// sequence lock whose words are atomics (Boehm, "Can seqlocks get along with programming language
// memory models?", 2012). Reading costs as many loads as T has words; it repeats while a write is
// under way.
#pragma once
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <type_traits>

namespace urr::waiting_room {

template <class T>
class Published {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0);
    using Words = std::array<std::uint64_t, sizeof(T) / 8>;

public:
    // One writer at a time.
    void publish(const T& value) {
        const auto words = std::bit_cast<Words>(value);
        const std::uint64_t version = version_.load(std::memory_order_relaxed);
        version_.store(version + 1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        for (std::size_t i = 0; i < words.size(); ++i)
            words_[i].store(words[i], std::memory_order_relaxed);
        version_.store(version + 2, std::memory_order_release);
    }
    T read() const {
        for (;;) {
            const std::uint64_t before = version_.load(std::memory_order_acquire);
            Words words;
            for (std::size_t i = 0; i < words.size(); ++i)
                words[i] = words_[i].load(std::memory_order_relaxed);
            std::atomic_thread_fence(std::memory_order_acquire);
            if (before % 2 == 0 && version_.load(std::memory_order_relaxed) == before)
                return std::bit_cast<T>(words);
        }
    }
    // Rises with every publication: tells a copy that it is old.
    std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

private:
    std::atomic<std::uint64_t> version_{0};
    std::array<std::atomic<std::uint64_t>, sizeof(T) / 8> words_{};
};

} // namespace urr::waiting_room
