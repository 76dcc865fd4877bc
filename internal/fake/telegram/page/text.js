// Text with entities, made of nodes and never of markup: names are hostile.

const wrappers = {
  bold: 'strong', italic: 'em', underline: 'u', strikethrough: 's', code: 'code', pre: 'code',
  spoiler: 'span', blockquote: 'span', expandable_blockquote: 'span',
};

// What Telegram makes clickable by itself: addresses, and commands at the start of a word.
const clickable = /(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)»])|(?<=^|\s)(\/[a-z0-9_]{1,32})(?![\w/])/gi;

// richText returns the nodes of a text. Offsets count UTF-16 units, as strings
// do here. onCommand is called with a command that somebody clicks.
export function richText(text, entities, onCommand) {
  const cuts = new Set([0, text.length]);
  for (const e of entities) cuts.add(e.offset).add(e.offset + e.length);
  const at = [...cuts].filter((n) => n <= text.length).sort((a, b) => a - b);
  const out = document.createDocumentFragment();
  for (let i = 0; i + 1 < at.length; i++) {
    const active = entities.filter((e) => e.offset <= at[i] && e.offset + e.length >= at[i + 1]);
    const part = text.slice(at[i], at[i + 1]);
    const link = active.find((e) => e.type === 'text_link');
    let node = link ? anchor(link.url, part) : plain(part, onCommand);
    for (const e of active) {
      if (!wrappers[e.type]) continue;
      const box = document.createElement(wrappers[e.type]);
      box.className = e.type;
      box.append(node);
      node = box;
    }
    out.append(node);
  }
  return out;
}

function plain(text, onCommand) {
  const out = document.createDocumentFragment();
  let from = 0;
  for (const m of text.matchAll(clickable)) {
    out.append(text.slice(from, m.index));
    if (m[1]) {
      out.append(anchor(m[1], m[1]));
    } else {
      const b = document.createElement('button');
      b.type = 'button';
      b.className = 'command';
      b.textContent = m[2];
      b.addEventListener('click', () => onCommand(m[2]));
      out.append(b);
    }
    from = m.index + m[0].length;
  }
  out.append(text.slice(from));
  return out;
}

// anchor makes a link of a web address and leaves everything else as text.
export function anchor(address, text) {
  if (!/^https?:\/\//i.test(address)) return document.createTextNode(text);
  const a = document.createElement('a');
  a.href = address;
  a.target = '_blank';
  a.rel = 'noopener noreferrer';
  a.textContent = text;
  return a;
}
