// The page works as links and forms; this keeps what it shows up to date without a reload.
const policy = window.trustedTypes?.createPolicy('retake', { createHTML: s => s });
const parse = html => new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, 'text/html');
const $ = (selector, root = document) => root.querySelector(selector);
const content = (root = document) => $('#library, article[data-rev]', root); // what is kept up to date
const attention = (root = document) => $('#attention', root); // so is what needs somebody, above it
const say = text => { $('#said').textContent = text; };

const now = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: 'auto' }).format(0, 'second');
const away = new Intl.RelativeTimeFormat(document.documentElement.lang);
const relative = ms => {
  const s = Math.abs(ms) / 1000;
  if (s < 5) return now;
  const [size, unit, step = 1] = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [5, 'second', 5]].find(([n]) => s >= n);
  return away.format(Math.sign(ms) * Math.floor(s / size) * step, unit);
};
const exact = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' });
const tick = (root = document) => root.querySelectorAll('time:is([data-rel], [data-exact])').forEach(t => {
  const at = Date.parse(t.dateTime), text = 'exact' in t.dataset ? exact.format(at) : relative(at - Date.now());
  if (t.textContent !== text) t.textContent = text;
});

// The browser's controls come with the press on Play: on two dozen idle players they are noise.
const dress = root => root.querySelectorAll('.thumb video').forEach(v => { v.controls = false; });
document.addEventListener('click', e => {
  const play = e.target.closest('.play'), video = play?.parentElement.querySelector('video');
  if (!video || e.ctrlKey || e.metaKey || e.shiftKey) return; // another tab plays it, too
  e.preventDefault();
  play.remove();
  video.controls = true;
  video.focus();
  video.play().catch(() => { });
});
// A browser that lacks the codec says nothing: it fails, or plays only the sound.
const unplayed = e => {
  const video = e.target, fails = e.type === 'error' ? !(video.error?.code < 3) : !video.videoWidth;
  if (!fails || !video.matches?.('.thumb video[controls]') || video.nextElementSibling) return;
  video.insertAdjacentElement('afterend', Object.assign(document.createElement('p'), { className: 'unplayable', textContent: video.dataset.unplayable }));
};
['error', 'loadeddata'].forEach(kind => document.addEventListener(kind, unplayed, true));

// Makes a node like a fresh one and touches only what differs: focus, selection and opened details stay. So do a video
// that was begun, and what says by data-keep that somebody may be writing in it.
const alike = (a, b) => a.nodeName === b.nodeName && a.id === b.id && a.dataset?.key === b.dataset?.key && a.classList?.[0] === b.classList?.[0];
const morph = (old, fresh) => {
  if (old.dataset?.rev && old.dataset.rev === fresh.dataset.rev || old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) old.nodeValue = fresh.nodeValue;
  else if (!old.matches('[data-keep], .thumb:has(video[controls])')) {
    for (const { name } of [...old.attributes]) if (name !== 'open' && !fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    let done = 0;
    for (const next of [...fresh.childNodes]) {
      const left = [...old.childNodes].slice(done++), at = left.findIndex((n, i) => alike(n, next) && (i === 0 || n.nodeType === Node.ELEMENT_NODE));
      left.slice(0, Math.max(at, 0)).forEach(n => n.remove());
      at < 0 ? old.insertBefore(next, left[0] ?? null) : morph(left[at], next);
    }
    [...old.childNodes].slice(done).forEach(n => n.remove());
  }
};

// Brings fresh content in. Focus that lost its place goes to its card, or to the one that took the card's place.
const cards = () => [...document.querySelectorAll('.card')];
// Where a card is now: a video that is tried again has the card of its next try.
const successor = card => document.getElementById(card.id) ?? $(`.earlier a[href="/assets/${card.id.slice(6)}"]`)?.closest('.card');
let noticed = Date.now(); // when the notice came
const update = (fresh, top, said) => {
  const before = new Map(cards().map(c => [c.id, c.dataset.say]));
  const focus = document.activeElement, card = focus.closest('.card'), place = cards().indexOf(card);
  const needs = attention()?.contains(focus);
  if (attention() && top) morph(attention(), top);
  morph(content(), fresh);
  if (!focus.isConnected) {
    const home = (needs && $('a, button', attention()) ? attention() : card && successor(card)) ?? cards()[Math.min(place, cards().length - 1)] ?? content();
    const places = [`[data-key="${focus.dataset.key}"]`, '[data-key=title]', '.actions a', 'a, button'];
    places.map(p => $(p, home)).find(Boolean)?.focus();
  }
  let above = !before.size; // an unknown card below all known ones only moved up from the next page
  const news = cards().reverse().filter(c => {
    above ||= before.has(c.id);
    return above && before.get(c.id) !== c.dataset.say;
  });
  news.forEach(c => c.classList.add('flash'));
  if (said) noticed = Date.now();
  else if (news.length && Date.now() - noticed > 4000) $('#notice')?.replaceChildren(); // it was true of the state before
  if (news.length) say(news.slice(0, 5).map(c => `${$('h1, h2', c).textContent}: ${c.dataset.say}`).join('. '));
};
document.addEventListener('animationend', e => e.target.classList.remove('flash'));

let outcome = ''; // of the last form
const pull = async () => {
  const address = new URL(location), said = outcome;
  outcome = '';
  if (said) address.searchParams.set('notice', said);
  const res = await fetch(address, { headers: { Accept: 'text/html' }, signal: AbortSignal.timeout(10000) });
  if (res.redirected) return location.assign(res.url); // signed out, or the set-up is done
  if (res.status === 404) return location.assign('/'); // somebody has deleted it
  const page = parse(res.ok ? await res.text() : '');
  if (!content()) return said && location.assign(address); // it is read again as a whole
  if (!content(page)) return;
  dress(page);
  tick(page);
  if (said) morph($('#notice'), $('#notice', page));
  update(content(page), attention(page), said);
};

// One pull at a time, and one that begins after the last reason for it.
let line = Promise.resolve(), next;
const soon = () => next ??= line = line.then(() => new Promise(go => setTimeout(go, 20))).then(() => {
  next = null;
  return pull();
}).catch(() => { }); // the stream says when the server is back

// An event is a hint, the page stays the truth. A hidden tab listens to nothing: a browser has six connections for all.
let source, heard;
const listen = () => {
  source?.close();
  if (document.hidden) return;
  source = new EventSource('/events');
  heard = Date.now();
  const live = $('#live'), on = (kind, act) => source.addEventListener(kind, e => {
    heard = Date.now();
    if (kind === 'error' && live.dataset.state === 'on') soon(); // signed out, perhaps
    live.dataset.state = kind === 'error' ? 'off' : 'on';
    act?.(e);
  });
  ['open', 'error', 'ping'].forEach(kind => on(kind));
  on('asset', soon);
  on('progress', e => {
    const { id, pct } = JSON.parse(e.data), bar = $(`#asset-${id} progress`);
    if (!bar) return;
    bar.value = pct;
    $(`#asset-${id} .percent`).textContent = pct + ' %';
  });
};
const check = () => { // the browser gave up, or the connection died without a word
  if (document.hidden || source.readyState !== EventSource.CLOSED && Date.now() - heard < 40000) return;
  listen();
  soon();
};

// A form with data-live is sent in place. What the server refuses is said beside it.
document.addEventListener('submit', async e => {
  const form = e.target, button = e.submitter ?? $('button', form);
  if (!form.matches('[data-live]')) return;
  e.preventDefault();
  if (button.ariaBusy) return; // a double click
  button.ariaBusy = 'true';
  $('.refused', form.parentElement)?.remove();
  $('#notice')?.replaceChildren();
  const refuse = text => {
    form.insertAdjacentElement('afterend', Object.assign(document.createElement('p'), { className: 'refused', textContent: text }));
    say(text);
  };
  try {
    const body = new URLSearchParams(new FormData(form, e.submitter));
    const res = await fetch(form.getAttribute('action'), { method: 'POST', body, headers: { Accept: 'application/json' } });
    if (res.status === 401) return location.assign('/login');
    const answer = await res.json();
    if (!answer.success) return refuse(Object.values(answer.error.fields ?? {})[0] ?? answer.error.message); // the only field it has
    outcome = answer.outcome;
    form.querySelectorAll('input:not([type=hidden])').forEach(i => { i.value = ''; });
    await soon();
  } catch {
    refuse($('#said').dataset.lost);
  } finally {
    button.ariaBusy = null;
  }
});

// Single keys are shortcuts, unless that is switched off in the help.
const search = $('#q'), help = $('#keys'), single = $('#keys-on');
const memory = (act, value) => { try { return localStorage[act]('single-keys', value); } catch { } }; // a browser may refuse
if (single) {
  single.checked = memory('getItem') !== 'off';
  single.addEventListener('change', () => memory('setItem', single.checked ? 'on' : 'off'));
  $('#keys-open').addEventListener('click', () => keys['?']());
}
const step = by => {
  const titles = document.querySelectorAll('[data-key=title]'), at = [...titles].findIndex(t => t.closest('.card').contains(document.activeElement));
  titles[Math.max(0, Math.min(titles.length - 1, at + by))]?.focus();
};
const keys = {
  '/': () => { search?.focus(); search?.select(); },
  j: () => step(1),
  k: () => step(-1),
  r: () => (document.activeElement.closest('.card') ?? $('.card.wide'))?.querySelector('[data-key^=retry]')?.click(),
  '?': () => { help.showModal(); $('button', help).focus(); },
};
// Which key is meant, in a layout with other letters, too.
const meant = e => e.code === 'Slash' && '.,'.includes(e.key) ? (e.shiftKey ? '?' : '/') : e.key > '~' ? e.code.slice(-1).toLowerCase() : e.key.toLowerCase();
document.addEventListener('keydown', e => { // a closed dialog may keep the focus for a frame
  const off = !single?.checked || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.target.closest('input, textarea, select, [contenteditable], dialog[open]');
  const act = e.key === 'Escape' && e.target === search ? () => search.blur() : !off && Object.hasOwn(keys, meant(e)) && keys[meant(e)];
  if (!act) return;
  e.preventDefault(); // so that Esc leaves what was typed
  act();
});

tick();
setInterval(tick, 1000);
dress(document);
if (content()) {
  listen();
  document.addEventListener('visibilitychange', listen);
  setInterval(check, 20000);
}
const here = new URL(location); // what came of an action is said once, not at each reload
if (here.searchParams.has('notice')) {
  ['notice', 'restarted', 'joined', 'skipped'].forEach(name => here.searchParams.delete(name));
  history.replaceState(null, '', here);
}
if (here.pathname === '/channels/callback') history.replaceState(null, '', '/channels'); // Google's answer is spent
