// One phone: it shows one chat and patches what has changed, so that a video
// that plays goes on playing.

import { anchor, richText } from './text.js';
import { tick } from './story.js';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long' });
const languages = new Intl.DisplayNames(['en'], { type: 'language' });
const flags = { ru: '🇷🇺', en: '🇬🇧', de: '🇩🇪', fr: '🇫🇷', es: '🇪🇸', it: '🇮🇹', uk: '🇺🇦', kk: '🇰🇿' };
const doing = { typing: 'is typing', upload_video: 'is sending a video', record_video: 'is recording a video' };
const kinds = {
  voice: '🎤 Voice message', audio: '🎵 Audio', document: '📎 File', photo: '🖼 Photo', sticker: '🎄 Sticker',
  video: '🎬 Video', video_note: '🎬 Video message', animation: 'GIF', location: '📍 Location', contact: '👤 Contact',
  dice: '🎲 4', poll: '📊 Poll',
};
const chips = ['/start', 'Маша', 'Emma', '/status'];
const toastLife = 4000;
const spinLife = 60000; // Telegram's apps give up on an unanswered press after about a minute

// glide is how to scroll when it may be seen.
export function glide() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 'instant' : 'smooth';
}

export class Phone {
  // act(name, fields) asks the server for something and resolves to whether it was done.
  constructor(chat, index, act) {
    this.act = act;
    this.person = chat.person;
    this.rev = -1;
    this.nodes = new Map(); // what is in the log: message id or "day…" → {el, json, m}
    this.spinning = new Map(); // "message data" → when it began to spin
    this.stick = true; // the end of the chat is in view
    this.el = document.getElementById('phone-template').content.firstElementChild.cloneNode(true);
    this.el.id = `phone-${index}`;
    this.el.dataset.tint = index % 6;
    this.find('.initial').textContent = [...chat.name.trim()][0]?.toUpperCase() || '?';
    this.find('.name bdi').textContent = chat.name;
    const language = chat.language.slice(0, 2).toLowerCase();
    this.find('.flag').textContent = flags[language] || '';
    this.language = languageName(chat.language);
    this.el.setAttribute('aria-label', `${chat.name}’s phone`);
    this.log = this.find('.log');
    this.log.setAttribute('aria-label', `Chat of ${chat.name} with Retake`);
    this.input = this.find('form input');
    this.input.setAttribute('aria-label', `Message from ${chat.name}`);
    this.listen(chat.name);
  }

  find(selector) { return this.el.querySelector(selector); }

  listen(name) {
    const block = this.find('.block input');
    block.setAttribute('aria-label', `${name} blocks the bot`);
    block.addEventListener('change', () => this.block(block.checked));
    this.find('.unblock').addEventListener('click', () => this.block(false));
    this.find('.empty button').addEventListener('click', () => this.send('/start'));
    this.find('form').addEventListener('submit', async (e) => {
      e.preventDefault();
      const text = this.input.value.trim();
      if (!text) return;
      this.input.value = '';
      if (!await this.send(text) && !this.input.value) this.input.value = text;
    });
    for (const text of chips) {
      const b = document.createElement('button');
      b.type = 'button';
      b.textContent = text;
      b.addEventListener('click', () => this.send(text));
      this.find('.chips').append(b);
    }
    let last = 0;
    this.log.addEventListener('scroll', () => {
      const top = this.log.scrollTop;
      if (this.log.scrollHeight - top - this.log.clientHeight < 48) this.stick = true;
      else if (top < last) this.stick = false; // only a person scrolls up
      last = top;
      this.find('.down').hidden ||= this.stick;
    }, { passive: true });
    this.find('.down').addEventListener('click', () => this.toEnd(true));
    new ResizeObserver(() => { if (this.stick) this.toEnd(false); }).observe(this.log);
    this.find('.alert button').addEventListener('click', () => { this.find('.alert').hidden = true; this.input.focus(); });
    this.el.addEventListener('keydown', (e) => { if (e.key === 'Escape') this.find('.alert').hidden = true; });
  }

  send(text) {
    this.stick = true;
    return this.act('send', { person: this.person, text });
  }

  async block(blocked) {
    if (!await this.act('block', { person: this.person, blocked })) this.find('.block input').checked = !blocked;
  }

  async press(message, data) {
    const key = `${message.id} ${data}`;
    this.spinning.set(key, Date.now());
    this.spin();
    if (!await this.act('press', { person: this.person, message: message.id, data }, message)) {
      this.spinning.delete(key);
      this.spin();
    }
  }

  // show brings the phone to what the server says of it and returns how many
  // messages of the bot are new.
  show(chat) {
    if (chat.rev <= this.rev) return 0;
    const first = this.rev < 0;
    this.rev = chat.rev;
    this.chat = chat;
    this.header();
    const fresh = this.patch(chat.messages, first);
    this.waiting(chat.pressed);
    this.toasts(chat.toasts, first);
    this.find('.empty').hidden = chat.messages.length > 0;
    if (this.stick) this.toEnd(!first);
    else if (fresh > 0) this.find('.down').hidden = false;
    return first ? 0 : fresh;
  }

  header() {
    const { chat } = this;
    const about = this.find('.about');
    clearTimeout(this.fade);
    let words = `${this.language} · online`;
    if (chat.blocked) words = `${this.language} · has blocked the bot`;
    else if (chat.action) {
      words = `Retake ${doing[chat.action] || 'is busy'}`;
      this.fade = setTimeout(() => { this.chat.action = ''; this.header(); }, chat.action_ms);
    }
    if (about.textContent !== words) about.textContent = words;
    about.classList.toggle('busy', !chat.blocked && !!chat.action);
    this.el.classList.toggle('blocked', chat.blocked);
    this.find('.block input').checked = chat.blocked;
    this.find('.composer form').hidden = chat.blocked;
    this.find('.chips').hidden = chat.blocked;
    this.find('.unblock').hidden = !chat.blocked;
  }

  // patch makes the log hold exactly these messages, in this order.
  patch(messages, first) {
    const wanted = [];
    let date = '';
    messages.forEach((m, i) => {
      const its = day.format(m.at);
      if (its !== date) wanted.push({ key: `day ${its}`, day: its === day.format() ? 'Today' : its });
      date = its;
      const next = messages[i + 1];
      wanted.push({ key: m.id, m, tail: !next || next.bot !== m.bot });
    });
    const keys = new Set(wanted.map((w) => w.key));
    for (const [key, node] of this.nodes) {
      if (keys.has(key)) continue;
      node.el.remove();
      this.nodes.delete(key);
    }
    let fresh = 0;
    let before = this.log.firstElementChild;
    for (const w of wanted) {
      let node = this.nodes.get(w.key);
      if (!node) {
        node = { el: w.m ? newMessage(w.m) : separator(w.day) };
        this.nodes.set(w.key, node);
        this.log.insertBefore(node.el, before);
        if (w.m && !first) node.el.classList.add('arrives');
        if (w.m?.bot) fresh++;
      } else {
        if (node.el !== before) this.log.insertBefore(node.el, before);
        before = node.el.nextElementSibling;
      }
      if (w.m) this.update(node, w.m, w.tail);
    }
    return fresh;
  }

  // update changes only those parts of a message that differ.
  update(node, m, tail) {
    const { el, m: old } = node;
    node.m = m;
    el.classList.toggle('tail', tail);
    if (old && JSON.stringify(old) === JSON.stringify(m)) return;
    const text = el.querySelector('.text');
    if (!old || old.text !== m.text || JSON.stringify(old.entities) !== JSON.stringify(m.entities)) {
      const words = m.text || (m.video ? '' : kinds[m.kind] || m.kind);
      text.replaceChildren(richText(words, m.entities || [], (c) => this.send(c)));
      text.hidden = !words;
      el.classList.toggle('bare', !words);
      if (m.document) text.prepend(download(m.document), document.createElement('br'));
      if (m.voice) text.append(document.createElement('br'), listen(m.voice));
    }
    if (m.video && old?.video?.file !== m.video.file) {
      const film = el.querySelector('.film');
      film.hidden = false;
      el.style.setProperty('--ratio', (m.video.width || 9) / (m.video.height || 16));
      film.replaceChildren(...player(m.video));
    }
    if (!old || JSON.stringify(old.buttons) !== JSON.stringify(m.buttons)) this.buttons(el, m);
    el.querySelector('.edited').hidden = !m.edited;
    const ticks = el.querySelector('.ticks');
    ticks.classList.toggle('read', !!m.read);
    ticks.setAttribute('aria-label', m.read ? 'Read by the bot' : 'Sent');
    const time = el.querySelector('time');
    time.textContent = clock.format(m.at);
    time.dateTime = new Date(m.at).toISOString();
  }

  buttons(el, m) {
    const rows = (m.buttons || []).map((row) => {
      const div = document.createElement('div');
      div.append(...row.map((b) => this.button(m, b)));
      return div;
    });
    el.querySelector('.buttons').replaceChildren(...rows);
  }

  button(m, b) {
    if (b.url) return anchor(b.url, b.text);
    const el = document.createElement('button');
    el.type = 'button';
    el.textContent = b.text;
    el.dataset.key = `${m.id} ${b.callback_data}`;
    el.addEventListener('click', () => this.press(this.nodes.get(m.id).m, b.callback_data));
    return el;
  }

  waiting(pressed) {
    const keys = new Set(pressed.map((p) => `${p.message} ${p.data}`));
    for (const key of this.spinning.keys()) if (!keys.has(key)) this.spinning.delete(key);
    for (const key of keys) if (!this.spinning.has(key)) this.spinning.set(key, Date.now());
    this.spin();
  }

  spin() {
    clearTimeout(this.stopSpin);
    const since = Date.now() - spinLife;
    let any = false;
    for (const b of this.log.querySelectorAll('.buttons button')) {
      const busy = this.spinning.get(b.dataset.key) > since;
      any ||= busy;
      if (busy) b.setAttribute('aria-busy', 'true');
      else b.removeAttribute('aria-busy');
    }
    if (any) this.stopSpin = setTimeout(() => this.spin(), 5000);
  }

  toasts(list, first) {
    const seen = this.lastToast || 0;
    this.lastToast = Math.max(seen, ...list.map((t) => t.number));
    if (first) return; // what was said before this page was opened
    for (const t of list) if (t.number > seen && t.text) this.say(t);
  }

  say(t) {
    if (t.alert) {
      const box = this.find('.alert');
      box.querySelector('p').textContent = t.text;
      box.hidden = false;
      if (this.el.contains(document.activeElement)) box.querySelector('button').focus();
      return;
    }
    const toast = this.find('.toast');
    toast.textContent = t.text;
    toast.hidden = false;
    clearTimeout(this.hideToast);
    this.hideToast = setTimeout(() => { toast.hidden = true; }, toastLife);
  }

  toEnd(smooth) {
    this.stick = true;
    this.find('.down').hidden = true;
    this.log.scrollTo({ top: this.log.scrollHeight, behavior: smooth ? glide() : 'instant' });
  }
}

function newMessage(m) {
  const el = document.getElementById('message-template').content.firstElementChild.cloneNode(true);
  el.classList.add(m.bot ? 'theirs' : 'own');
  el.classList.toggle('has-film', !!m.video);
  return el;
}

function separator(text) {
  const p = document.createElement('p');
  p.className = 'day';
  p.textContent = text;
  return p;
}

// download is a link to a file.
function download(d) {
  const a = document.createElement('a');
  a.href = `files/${encodeURIComponent(d.file)}`;
  a.download = d.name;
  a.textContent = `📄 ${d.name}`;
  return a;
}

// listen returns what plays a voice message.
function listen(v) {
  const audio = document.createElement('audio');
  audio.controls = true;
  audio.preload = 'metadata';
  audio.src = `files/${encodeURIComponent(v.file)}`;
  audio.setAttribute('aria-label', 'Voice message');
  return audio;
}

// player returns the video and the large button over it.
function player(v) {
  const video = document.createElement('video');
  video.controls = true;
  video.playsInline = true;
  video.preload = 'metadata';
  video.width = v.width || 720;
  video.height = v.height || 1280;
  video.src = `files/${encodeURIComponent(v.file)}`;
  if (v.thumbnail) video.poster = `files/${encodeURIComponent(v.thumbnail)}`;
  if (v.silent) video.muted = video.loop = true;
  const play = document.createElement('button');
  play.type = 'button';
  play.className = 'play';
  play.setAttribute('aria-label', 'Play the video');
  play.addEventListener('click', () => video.play().catch(() => {})); // the player itself shows what is wrong
  const length = document.createElement('span');
  length.className = 'length';
  length.textContent = v.silent ? 'GIF' : `${Math.floor(v.seconds / 60)}:${String(v.seconds % 60).padStart(2, '0')}`;
  video.addEventListener('play', () => { play.hidden = length.hidden = true; tick('watch'); });
  video.addEventListener('ended', () => { play.hidden = length.hidden = false; });
  return [video, play, length];
}

function languageName(code) {
  try {
    return languages.of(code) || code;
  } catch {
    return code; // not a language that browsers know
  }
}
