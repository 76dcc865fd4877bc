// Counts while somebody types what a video is published with, as the server does, and copies texts that are to go elsewhere.
if (location.pathname.endsWith('/metadata')) history.replaceState(null, '', location.pathname.slice(0, -9)); // the page of what was refused
const words = text => text.trim().split(/\s+/u).join(' ');
const tag = text => [...text].length + (text.includes(' ') ? 2 : 0);
const count = {
  title: text => [...words(text)].length,
  description: text => new TextEncoder().encode(text.trim()).length,
  tags: text => text.split(',').map(words).filter(Boolean).reduce((n, t) => n + tag(t) + 1, -1),
};
// A text of the bot: shown in its bubble with samples, counted with the longest values.
const filled = (text, values) => text.trim().replace(/\{\{\s*\.(\w+)\s*\}\}/g, (place, name) => values[name] ?? place);
const bubbled = ({ id, value, dataset, form }) => {
  document.getElementById(`${id}-bubble`).textContent = filled(value, JSON.parse(dataset.samples));
  const longest = Object.entries(JSON.parse(form.dataset.longest)).map(([name, n]) => [name, 'x'.repeat(n)]);
  return filled(value, Object.fromEntries(longest));
};
document.addEventListener('input', ({ target }) => {
  const at = document.getElementById(`${target.id}-count`);
  if (!at) return;
  const text = target.dataset.samples ? bubbled(target) : target.value;
  const n = Math.max(0, count[target.id] ? count[target.id](text) : text.length);
  at.querySelector('strong').textContent = n;
  at.classList.toggle('over', n > at.dataset.of);
});

// Without a script the buttons are not shown: the text can be selected.
document.addEventListener('click', async ({ target }) => {
  const button = target.closest('[data-copy]'), source = button && document.getElementById(button.dataset.copy), said = document.getElementById('said');
  if (!source) return;
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch { // on plain http, or forbidden
    getSelection().selectAllChildren(source);
    if (!document.execCommand('copy')) return source.focus(); // selected at least
  }
  button.classList.add('copied');
  setTimeout(() => button.classList.remove('copied'), 2000);
  said.textContent = '';
  said.textContent = said.dataset.copied;
});

// A time is typed on the reader's own clock.
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const zone of here ? document.querySelectorAll('[data-zone]') : []) {
  const at = zone.form.elements.at, note = document.getElementById(at.getAttribute('aria-describedby').split(' ')[0]);
  if (at.value) continue; // it came back with the zone of then
  zone.value = here;
  note.textContent = note.dataset.here.replace('{zone}', here);
}
