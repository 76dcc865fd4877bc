// Sends videos, or the film of a template, with progress, Cancel and a drop zone: several one after the other. Without this script the browser sends the form itself.
const form = document.getElementById('upload'), find = selector => form.querySelector(selector);
const title = find('#title'), file = find('#file'), fields = find('fieldset'), zone = find('.drop'), problem = find('[role=alert]'), list = find('.files');
const progress = find('.prog'), bar = find('progress'), [send, cancel] = form.querySelectorAll('.actions button'), live = find('[role=status]');
const say = (id, values = {}) => form.dataset[id].replace(/\{(\w+)\}/g, (_, name) => values[name]);
let sending = null; // the request under way
let filled = ''; // the title that came from the file's name

const complain = (text, mild = false) => {
  problem.firstElementChild.textContent = text;
  problem.classList.toggle('mild', mild);
  problem.hidden = !text;
};

const show = busy => {
  const focused = form.contains(document.activeElement);
  fields.disabled = send.hidden = busy;
  progress.hidden = !busy || several();
  cancel.hidden = !busy;
  if (focused) (busy ? cancel : send).focus();
};

const stop = (text, mild) => {
  sending = null;
  show(false);
  live.textContent = '';
  complain(text, mild);
};

const several = () => file.files.length > 1;
const isLarge = one => one?.size > form.dataset.max;
const tooLarge = () => !several() && isLarge(file.files[0]); // of several, each says it for itself
const chosen = () => {
  complain(tooLarge() ? say('large') : '');
  if (title.value === filled) title.value = filled = several() ? '' : (file.files[0]?.name ?? '').replace(/\.\w{1,5}$/, '').slice(0, title.maxLength);
  title.disabled = several();
};

const left = seconds => seconds < 60 ? say('seconds') : seconds < 5400 ? say('minutes', { n: Math.round(seconds / 60) }) : say('hours', { n: Math.round(seconds / 3600) });
const megabytes = (bytes, of) => (bytes / 2 ** 20).toLocaleString(document.documentElement.lang, { maximumFractionDigits: of < 10 * 2 ** 20 ? 1 : 0 });
const meter = () => {
  const began = Date.now();
  let told = 0; // percent, to those who do not see the bar
  return ({ loaded, total }) => {
    const percent = Math.floor(100 * loaded / (total || 1)), seconds = (Date.now() - began) / 1000;
    bar.value = percent;
    find('.sent').textContent = say('sent', { done: megabytes(loaded, total), all: megabytes(total, total) });
    find('.percent').textContent = say('percent', { n: percent });
    find('.left').textContent = loaded === total ? say('looking') : seconds > 1 ? left(seconds * (total / loaded - 1)) : '';
    if (percent >= told + 25) live.textContent = say('percent', { n: told = percent - percent % 25 });
  };
};

// Sends one file. It returns the server's answer, or throws what to say: nothing if the sender has changed their mind.
const post = (body, tell) => new Promise((done, fail) => {
  const request = sending = new XMLHttpRequest();
  request.upload.onprogress = tell;
  request.onload = () => request.response?.success ? done(request.response) : fail(request.response?.error?.message ?? say('broken'));
  request.onerror = () => fail(say('broken'));
  request.onabort = () => fail('');
  request.open('POST', form.action);
  request.setRequestHeader('Accept', 'application/json');
  request.responseType = 'json';
  request.send(body);
});

// A file among several has a row with a bar and what came of it.
const row = one => {
  const make = (tag, values, ...inside) => {
    const node = Object.assign(document.createElement(tag), values);
    node.append(...inside);
    return node;
  };
  const meter = make('progress', { max: 100, value: 0, ariaLabel: one.name }), said = make('p', { className: 'hint', textContent: say('waits') });
  const item = make('li', {}, make('div', { className: 'about' }, make('p', {}, make('strong', { textContent: one.name })), meter, said));
  const ends = text => {
    meter.remove();
    said.textContent = text;
  };
  return {
    item,
    tell: ({ loaded, total }) => {
      meter.value = 100 * loaded / (total || 1);
      said.textContent = loaded === total ? say('looking') : say('sent', { done: megabytes(loaded, total), all: megabytes(total, total) });
    },
    kept: id => {
      ends(say('kept'));
      item.append(make('a', { className: 'btn', href: `/assets/${id}`, textContent: list.dataset.open, ariaLabel: `${list.dataset.open}: ${one.name}` }));
    },
    refused: text => {
      ends(text);
      said.className = 'fault';
    },
  };
};

const sendSeveral = async () => {
  const rows = [...file.files].map(one => [one, row(one)]);
  list.replaceChildren(...rows.map(([, r]) => r.item));
  list.hidden = false;
  let kept = 0, over = false;
  show(true);
  for (const [one, r] of rows) {
    if (over || isLarge(one)) {
      r.refused(over ? say('cancelled') : say('large'));
      continue;
    }
    const body = new FormData();
    body.set('file', one);
    try {
      r.kept((await post(body, r.tell)).id);
      kept++;
    } catch (text) {
      over = text === '';
      r.refused(text || say('cancelled'));
    }
  }
  sending = null;
  show(false);
  live.textContent = say('ended', { kept, all: rows.length });
  file.value = '';
  chosen();
};

form.addEventListener('submit', async e => {
  e.preventDefault();
  if (sending) return;
  if (tooLarge()) return complain(say('large'));
  complain('');
  if (several()) return sendSeveral();
  const body = new FormData(form), tell = meter(); // before the fields are switched off
  body.delete('several');
  show(true);
  tell({ loaded: 0, total: file.files[0].size });
  try {
    const answer = await post(body, tell);
    sending = null;
    location.assign((form.dataset.to ?? '/assets/{id}?notice=uploaded').replace('{id}', answer.id));
  } catch (text) {
    stop(text || say('cancelled'), !text);
  }
});
cancel.addEventListener('click', () => sending?.abort());
file.addEventListener('change', chosen);
addEventListener('beforeunload', e => { if (sending) e.preventDefault(); });

// Files may be dropped anywhere: beside the zone the browser would leave the page and play one.
const over = e => e.dataTransfer?.types.includes('Files') && !e.preventDefault();
addEventListener('dragover', e => zone.classList.toggle('over', over(e) && !sending));
addEventListener('dragleave', e => e.relatedTarget || zone.classList.remove('over'));
addEventListener('drop', e => {
  zone.classList.remove('over');
  if (!over(e) || sending) return;
  const taken = new DataTransfer();
  for (const one of [...e.dataTransfer.files].slice(0, file.multiple ? undefined : 1)) taken.items.add(one);
  file.files = taken.files;
  chosen();
});
