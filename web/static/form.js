// Counts while somebody types what a video is published with, as the server does.
if (location.pathname.endsWith('/metadata')) history.replaceState(null, '', location.pathname.slice(0, -9)); // the page of what was refused
const words = text => text.trim().split(/\s+/u).join(' ');
const tag = text => [...text].length + (text.includes(' ') ? 2 : 0);
const count = {
  title: text => [...words(text)].length,
  description: text => new TextEncoder().encode(text.trim()).length,
  tags: text => text.split(',').map(words).filter(Boolean).reduce((n, t) => n + tag(t) + 1, -1),
};
document.addEventListener('input', ({ target }) => {
  const at = document.getElementById(`${target.id}-count`);
  if (!at) return;
  const n = Math.max(0, count[target.id](target.value));
  at.querySelector('strong').textContent = n;
  at.classList.toggle('over', n > at.dataset.of);
});
