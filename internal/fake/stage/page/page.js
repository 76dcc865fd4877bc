// The live page: what changed on the server is put in place of what stands here.

const offline = document.getElementById('offline');
let presses = 0; // an answer that a press has overtaken on its way is old
let asking = false;

// show replaces the parts that differ; the focus stays where it was.
function show(html) {
  const fresh = new DOMParser().parseFromString(html, 'text/html');
  for (const part of fresh.querySelectorAll('[data-live]')) {
    const old = document.getElementById(part.id);
    if (!old) {
      location.reload(); // the server was started again, and is another
      return;
    }
    if (old.outerHTML === part.outerHTML) continue;
    const focused = old.contains(document.activeElement) && document.activeElement;
    const same = focused && [...part.querySelectorAll(focused.localName)].find((el) => el.href === focused.href && el.name === focused.name);
    old.replaceWith(document.adoptNode(part));
    if (same) same.focus({ preventScroll: true });
  }
}

async function ask(address, options) {
  try {
    const r = await fetch(address, options);
    if (!r.ok) throw new Error(r.statusText);
    const html = await r.text();
    offline.hidden = true;
    return html;
  } catch {
    offline.hidden = false;
    return '';
  }
}

async function poll() {
  if (document.hidden || asking) return;
  asking = true;
  const before = presses;
  const html = await ask('./');
  asking = false;
  if (html && presses === before) show(html);
}

document.addEventListener('submit', async (e) => {
  e.preventDefault();
  const mine = ++presses;
  const html = await ask('switch', { method: 'POST', body: new URLSearchParams(new FormData(e.target, e.submitter)) });
  if (html && presses === mine) show(html);
  presses++;
});

setInterval(poll, 1000);
document.addEventListener('visibilitychange', poll);
