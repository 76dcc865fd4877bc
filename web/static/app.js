// The page works as links and forms; this keeps what it shows up to date without a reload.
const policy = window.trustedTypes?.createPolicy('retake', { createHTML: s => s });
const parse = html => new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, 'text/html');

const relative = ms => {
  const s = Math.abs(ms) / 1000, ahead = ms > 0;
  if (s < 5) return ahead ? 'any moment' : 'just now';
  const [size, unit] = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']].find(([n]) => s >= n);
  const n = Math.floor(s / size), text = `${n} ${unit}${n === 1 ? '' : 's'}`;
  return ahead ? `in ${text}` : `${text} ago`;
};
const tick = () => document.querySelectorAll('time[data-rel]').forEach(t => {
  const text = relative(Date.parse(t.dateTime) - Date.now());
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
  video.play().catch(() => { }); // the player says why
});

// A card whose content changed is replaced. Focus and opened details stay; one whose video was begun is left alone.
const replace = (old, fresh) => {
  if (old.dataset.rev === fresh.dataset.rev || old.querySelector('video[controls]')) return;
  const key = old.contains(document.activeElement) && document.activeElement.dataset.key;
  if (old.querySelector('details[open]')) fresh.querySelector('details')?.setAttribute('open', '');
  old.replaceWith(fresh);
  if (key) (fresh.querySelector(`[data-key="${key}"]`) ?? fresh.querySelector('a'))?.focus();
};
const library = document.getElementById('library');
const pull = async () => {
  const res = await fetch(location.href, { headers: { Accept: 'text/html' } });
  if (res.redirected) return location.assign('/login');
  if (!res.ok) return;
  const fresh = parse(await res.text()).getElementById('library');
  dress(fresh);
  library.dataset.live = fresh.dataset.live;
  const grid = library.querySelector('.grid'), next = fresh.querySelector('.grid');
  if (!grid || !next) return library.replaceChildren(...fresh.childNodes);
  library.querySelector('.tabs').replaceWith(fresh.querySelector('.tabs'));
  const need = library.querySelector('#need-you'), now = fresh.querySelector('#need-you');
  if (!need.isEqualNode(now)) {
    const held = need.contains(document.activeElement);
    need.replaceWith(now);
    if (held) now.querySelector('a')?.focus();
  }
  const cards = [...next.children], ids = new Set(cards.map(c => c.id));
  [...grid.children].forEach(c => ids.has(c.id) || c.remove());
  cards.forEach((card, i) => {
    const old = document.getElementById(card.id);
    old ? replace(old, card) : grid.insertBefore(card, grid.children[i] ?? null);
  });
};
const again = () => setTimeout(async () => {
  if (!document.hidden) await pull().then(tick, () => { }); // the next one may get through
  again();
}, library.dataset.live === 'true' ? 3000 : 20000);

// "/" goes to the search, Esc out of it, and what was typed stays. Where somebody writes, a slash is a slash.
document.addEventListener('keydown', e => {
  const search = document.getElementById('q');
  if (e.key === 'Escape' && e.target === search) {
    e.preventDefault();
    return search.blur();
  }
  const slash = e.key === '/' || e.key === '.' && e.code === 'Slash'; // the same key, in Russian
  if (!slash || !search || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.target.closest('input, textarea, select, [contenteditable]')) return;
  e.preventDefault();
  search.focus();
  search.select();
});

tick();
setInterval(tick, 1000);
dress(document);
if (library) again();
if (location.search.includes('notice=')) history.replaceState(null, '', location.pathname); // said once, not at each reload
