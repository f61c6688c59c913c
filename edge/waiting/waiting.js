// The waiting page. It takes a number once, keeps the receipt in this browser, then polls the room's
// public state and compares its own number; only when that is served it asks for the token and goes
// on to the queue. No cookie of another site and no framework is needed.
"use strict";

(() => {
  const eventId = location.pathname.split("/")[2] || "";
  const api = "/vwr-api/vwr";
  const storageKey = "urr-receipt:" + eventId;

  const texts = {
    ko: {
      title: "대기실", other: "English", number: "내 번호", ahead: "내 앞에 남은 인원",
      wait: "예상 대기 시간", people: "명", unknown: "알 수 없음", about: "약 ", to: "–",
      seconds: "초", minutes: "분", hours: "시간",
      starting: "번호를 받는 중입니다.",
      waiting: "차례를 기다리고 있습니다. 이 창을 닫아도 같은 브라우저에서는 번호가 유지됩니다.",
      prequeue: "아직 판매 전입니다. 번호를 받았으니 시작되면 순서대로 입장합니다.",
      paused: "입장이 잠시 멈췄습니다. 번호는 그대로 유지됩니다.",
      soon: "곧 입장합니다. 잠시만 자리를 지켜 주세요.",
      entering: "입장합니다.",
      soldOut: "매진되었습니다.",
      soldOutAdvice: "번호는 유지됩니다. 좌석이 다시 나오면 이 화면에서 알려 드립니다.",
      soldOutStranger: "좌석이 다시 나오면 이 화면에서 알려 드립니다.",
      live: "이 화면은 자동으로 갱신됩니다. 새로고침하지 않아도 됩니다.",
      changed: "대기실이 다시 시작되어 이전 번호를 사용할 수 없습니다.",
      changedAdvice: "아래 버튼을 눌러 새 번호를 받아 주세요.", again: "새 번호 받기",
      invalid: "저장된 대기표를 확인할 수 없습니다.",
      notFound: "대기실을 찾을 수 없습니다.", notFoundAdvice: "주소를 확인하거나 공연 페이지에서 다시 시작해 주세요.",
      limited: "같은 네트워크에서 요청이 많습니다. 자동으로 다시 시도합니다.",
      offline: "연결이 끊어졌습니다. 번호는 유지되며 자동으로 다시 연결합니다.",
      busy: "지금은 혼잡합니다. 자동으로 다시 시도하니 새로고침하지 마세요.",
    },
    en: {
      title: "Waiting room", other: "한국어", number: "Your number", ahead: "People ahead of you",
      wait: "Expected wait", people: "", unknown: "not known", about: "about ", to: "–",
      seconds: " s", minutes: " min", hours: " h",
      starting: "Getting you a number.",
      waiting: "You are waiting for your turn. This browser keeps your number, even if you close this page.",
      prequeue: "The sale has not begun. You have a number; people are let in by number once it starts.",
      paused: "Entry is paused for a moment. You keep your number.",
      soon: "It is almost your turn. Please stay here.",
      entering: "It is your turn. Letting you in.",
      soldOut: "Sold out.",
      soldOutAdvice: "You keep your number. If seats come back, this page will tell you.",
      soldOutStranger: "If seats come back, this page will tell you.",
      live: "This page updates by itself. There is no need to reload it.",
      changed: "The room was restarted, so your earlier number has ended.",
      changedAdvice: "Use the button below to take a new number.", again: "Take a new number",
      invalid: "The saved receipt could not be verified.",
      notFound: "There is no such waiting room.", notFoundAdvice: "Check the address, or start again from the event's page.",
      limited: "Many requests come from your network. Trying again by itself.",
      offline: "The connection was lost. You keep your number; reconnecting by itself.",
      busy: "It is busy right now. Trying again by itself; please do not reload.",
    },
  };

  const at = (id) => document.getElementById(id);
  let language = (navigator.language || "ko").toLowerCase().startsWith("ko") ? "ko" : "en";
  let shown = { message: "starting", advice: "", action: "" };
  let place = null; // what assign answered, and rank
  let room = null;
  let timer = 0;
  let failures = 0;

  const remember = (value) => {
    try {
      if (value) localStorage.setItem(storageKey, value);
      else localStorage.removeItem(storageKey);
    } catch { /* storage is off: the cookie of this site still keeps the place */ }
  };
  const remembered = () => {
    try { return localStorage.getItem(storageKey) || ""; } catch { return ""; }
  };

  // Among those who got a number, the how manieth am I? The receipt holds position and voids before
  // it (positions that nobody has), both signed: bytes 3 to 8 and 9 to 14 of it.
  const rankOf = (requestId) => {
    const head = atob(requestId.slice(0, 20).replaceAll("-", "+").replaceAll("_", "/"));
    const number = (from) => {
      let value = 0;
      for (let i = from; i < from + 6; i += 1) value = value * 256 + head.charCodeAt(i);
      return value;
    };
    return number(3) - number(9);
  };
  const aheadNow = () => {
    const served = room.serving - room.voidsServed;
    return place.position <= room.serving ? 0 : Math.max(1, place.rank - served);
  };

  // Both ends in one unit, that of the later one.
  const waitText = (ahead) => {
    const t = texts[language];
    if (!room || !room.rate) return t.unknown;
    const steady = (ahead * 60) / room.rate;
    const latest = steady * 1.25 + 1;
    const [unit, length] =
      latest < 90 ? [t.seconds, 1] : latest < 5400 ? [t.minutes, 60] : [t.hours, 3600];
    const count = (seconds) =>
      length === 3600 ? (seconds / length).toFixed(1) : String(Math.max(1, Math.round(seconds / length)));
    const low = count(steady * 0.8), high = count(latest);
    return t.about + (low === high ? high : low + t.to + high) + unit;
  };

  const put = (id, text) => { if (at(id).textContent !== text) at(id).textContent = text; };

  const draw = () => {
    const t = texts[language];
    document.documentElement.lang = language;
    document.title = t.title;
    put("title", t.title);
    put("language", t.other);
    at("language").lang = language === "ko" ? "en" : "ko";
    put("label-number", t.number);
    put("label-ahead", t.ahead);
    put("label-wait", t.wait);
    put("message", t[shown.message]);
    put("advice", shown.advice ? t[shown.advice] : "");
    put("action", shown.action ? t[shown.action] : "");
    at("action").hidden = !shown.action;
    at("place").hidden = !place || !place.position;
    if (!place || !place.position || !room) return;
    const ahead = aheadNow();
    // One is not ahead of oneself: 1 means next.
    put("number", place.position.toLocaleString(language));
    put("ahead", Math.max(0, ahead - 1).toLocaleString(language) + t.people);
    put("wait", waitText(ahead));
    at("row-wait").hidden = at("bar").hidden = room.state !== "open" || room.soldOut;
    const done = place.ahead ? Math.min(100, Math.round(100 * (1 - ahead / place.ahead))) : 0;
    at("bar").setAttribute("aria-valuenow", String(Math.max(0, done)));
    at("bar-fill").style.width = Math.max(0, done) + "%";
  };
  const say = (message, advice = "", action = "") => {
    shown = { message, advice, action };
    draw();
  };

  const later = (seconds) => {
    clearTimeout(timer);
    timer = setTimeout(run, seconds * 1000 * (1 + Math.random() / 4));
  };

  const call = async (method, path, body) => {
    const options = { method, headers: { "Accept-Language": language }, cache: "no-store" };
    if (method === "GET" && path.startsWith("/status")) options.cache = "default"; // the CDN's second
    if (body) {
      options.body = JSON.stringify(body);
      options.headers["Content-Type"] = "application/json";
    }
    const answer = await fetch(api + path, options);
    const value = await answer.json().catch(() => ({}));
    if (answer.ok) return value;
    const error = new Error(value.code || "HTTP_" + answer.status);
    error.code = value.code || "";
    error.retryAfter = Number(answer.headers.get("Retry-After")) || 0;
    throw error;
  };

  const takeNumber = async () => {
    const receipt = remembered();
    const given = await call("POST", "/assign/" + eventId, receipt ? { receipt } : undefined);
    remember(given.requestId);
    place = { ...given, rank: rankOf(given.requestId) };
    return given.pollAfterSeconds;
  };

  const enter = async () => {
    const answer = await call("GET", "/check/" + eventId + "/" + place.requestId);
    if (!answer.admitted) return answer.pollAfterSeconds;
    say("entering");
    location.assign("/queue/" + eventId);
    return 0;
  };

  const pollAfter = (ahead) => {
    const base = ahead <= 500 ? 2 : ahead <= 2000 ? 5 : ahead <= 10000 ? 10 : 15;
    if (!room.rate) return base;
    return Math.min(base, Math.max(2, (ahead * 75) / room.rate));
  };

  const step = async () => {
    room = await call("GET", "/status/" + eventId);
    if (room.soldOut) {
      say("soldOut", place || remembered() ? "soldOutAdvice" : "soldOutStranger");
      return 15;
    }
    if (!place) {
      const first = await takeNumber();
      if (place.position > room.serving) {
        tell();
        return first;
      }
    }
    if (room.state === "off") return enter();
    if (place.epoch !== room.epoch) {
      const error = new Error("ROOM_CHANGED");
      error.code = "ROOM_CHANGED";
      throw error;
    }
    if (place.position <= room.serving) return enter();
    tell();
    return pollAfter(aheadNow());
  };

  const tell = () => {
    if (room.state === "prequeue" || room.state === "paused") say(room.state, "live");
    else say(aheadNow() <= 50 ? "soon" : "waiting", "live");
  };

  const explain = (error) => {
    switch (error.code) {
      case "ROOM_CHANGED": say("changed", "changedAdvice", "again"); return 0;
      case "RECEIPT_INVALID": say("invalid", "changedAdvice", "again"); return 0;
      case "NOT_FOUND":
        // Whoever has a number was in a room: it is being restored and tells of itself soon.
        if (place || remembered()) { say("busy"); return 2; }
        say("notFound", "notFoundAdvice");
        return 15;
      case "SOLD_OUT":
        say("soldOut", place || remembered() ? "soldOutAdvice" : "soldOutStranger");
        return 15;
      case "RATE_LIMITED": say("limited"); return error.retryAfter || 5;
      default:
        say(error.code ? "busy" : "offline");
        return Math.max(error.retryAfter || 0, Math.min(30, 2 ** failures));
    }
  };

  async function run() {
    clearTimeout(timer);
    let wait;
    try {
      wait = await step();
      failures = 0;
    } catch (error) {
      failures += 1;
      wait = explain(error);
    }
    if (wait > 0) later(wait);
  }

  at("language").addEventListener("click", () => {
    language = language === "ko" ? "en" : "ko";
    draw();
  });
  at("action").addEventListener("click", () => {
    remember("");
    place = null;
    say("starting");
    run();
  });
  // A phone that slept looks at once when it wakes.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !at("action").offsetParent) later(0.2);
  });

  draw();
  run();
})();
