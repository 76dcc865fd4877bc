// The page as a whole: phones and tabs, the live stream, the switch.

import { Phone, glide } from './phone.js';
import { follow, pressed, show as showStory } from './story.js';

const phones = new Map(); // person → Phone
const tabs = new Map(); // person → its tab
const room = document.getElementById('phones');
const offline = document.getElementById('offline');
const breaker = document.getElementById('broken'); // null when there is no switch
let boot = '';
let broken = false;
let news = 0; // told of since the page was opened

async function act(name, fields, message) {
  try {
    const r = await fetch(name, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(fields) });
    if (r.ok && name === 'press') pressed(message, broken);
    return r.ok;
  } catch {
    return false; // the stream notices too, and says so
  }
}

function showChat(chat) {
  let phone = phones.get(chat.person);
  if (!phone) {
    phone = new Phone(chat, phones.size, act);
    phones.set(chat.person, phone);
    room.append(phone.el);
    addTab(chat, phone);
  }
  const fresh = phone.show(chat);
  if (fresh > 0 && !inView.has(phone.el)) tabs.get(chat.person).classList.add('fresh');
  follow(chat, broken);
}

function showBroken(now) {
  broken = now;
  if (!breaker) return;
  breaker.checked = now;
  breaker.disabled = false;
  document.getElementById('breaker').classList.toggle('on', now);
  document.getElementById('renderer').textContent = now ? 'Every video fails now' : 'It works';
}

function addTab(chat, phone) {
  const b = document.createElement('button');
  b.type = 'button';
  const name = document.createElement('bdi');
  name.textContent = chat.name;
  b.append(name);
  b.addEventListener('click', () => phone.el.scrollIntoView({ inline: 'center', block: 'nearest', behavior: glide() }));
  tabs.set(chat.person, b);
  document.getElementById('tabs').append(b);
  watch.observe(phone.el);
}

const inView = new Set();
const watch = new IntersectionObserver((entries) => {
  for (const e of entries) {
    if (e.isIntersecting) inView.add(e.target);
    else inView.delete(e.target);
  }
  for (const [person, phone] of phones) {
    const tab = tabs.get(person);
    const here = inView.has(phone.el);
    tab.setAttribute('aria-pressed', String(here));
    if (here) tab.classList.remove('fresh');
  }
}, { root: room, threshold: 0.6 });

// pull fetches everything anew, as after every gap in the stream. An answer that something has overtaken on its way is old.
async function pull() {
  let state;
  let before;
  do {
    before = news;
    const r = await fetch('state');
    if (!r.ok) throw new Error(`state: ${r.status}`);
    state = await r.json();
  } while (news !== before);
  show(state);
}

function show(state) {
  if (boot && boot !== state.boot) {
    location.reload(); // the server was started anew: ids and chats begin from nothing
    return;
  }
  boot = state.boot;
  showBroken(state.broken);
  state.chats.forEach(showChat);
  showStory();
}

function listen() {
  const stream = new EventSource('events');
  let over = false;
  const again = () => {
    if (over) return;
    over = true;
    offline.hidden = false;
    stream.close();
    setTimeout(listen, 1000); // also where a browser would give up for good
  };
  stream.addEventListener('open', () => {
    pull().then(() => { offline.hidden = true; }, again);
  });
  stream.addEventListener('chat', (e) => { news++; showChat(JSON.parse(e.data)); });
  stream.addEventListener('broken', (e) => { news++; showBroken(JSON.parse(e.data)); });
  stream.addEventListener('error', again);
}

breaker?.addEventListener('change', async () => {
  const wanted = breaker.checked;
  const done = await act('break', { broken: wanted });
  news++;
  showBroken(done ? wanted : !wanted);
});

show(JSON.parse(document.getElementById('state').textContent)); // so that nothing is empty at first
listen();
