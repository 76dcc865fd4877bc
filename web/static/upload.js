// Sends a video, or the film of a template, with progress, Cancel and a drop zone. Without this script the browser sends the form itself.
const form = document.getElementById('upload'), find = selector => form.querySelector(selector);
const title = find('#title'), file = find('#file'), fields = find('fieldset'), zone = find('.drop'), problem = find('[role=alert]');
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
  progress.hidden = cancel.hidden = !busy;
  if (focused) (busy ? cancel : send).focus();
};

const stop = (text, mild) => {
  sending = null;
  show(false);
  live.textContent = '';
  complain(text, mild);
};

const tooLarge = () => file.files[0]?.size > form.dataset.max;
const chosen = () => {
  complain(tooLarge() ? say('large') : '');
  if (title.value === filled) title.value = filled = (file.files[0]?.name ?? '').replace(/\.\w{1,5}$/, '').slice(0, title.maxLength);
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

form.addEventListener('submit', e => {
  e.preventDefault();
  if (sending) return;
  if (tooLarge()) return complain(say('large'));
  const body = new FormData(form), request = sending = new XMLHttpRequest(); // before the fields are switched off
  complain('');
  show(true);
  const tell = meter();
  tell({ loaded: 0, total: file.files[0].size });
  request.upload.onprogress = tell;
  request.onload = () => {
    if (!request.response?.success) return stop(request.response?.error?.message ?? say('broken'));
    sending = null;
    location.assign((form.dataset.to ?? '/assets/{id}?notice=uploaded').replace('{id}', request.response.id));
  };
  request.onerror = () => stop(say('broken'));
  request.onabort = () => stop(say('cancelled'), true);
  request.open('POST', form.action);
  request.setRequestHeader('Accept', 'application/json');
  request.responseType = 'json';
  request.send(body);
});
cancel.addEventListener('click', () => sending?.abort());
file.addEventListener('change', chosen);
addEventListener('beforeunload', e => { if (sending) e.preventDefault(); });

// A file may be dropped anywhere: beside the zone the browser would leave the page and play it.
const over = e => e.dataTransfer?.types.includes('Files') && !e.preventDefault();
addEventListener('dragover', e => zone.classList.toggle('over', over(e) && !sending));
addEventListener('dragleave', e => e.relatedTarget || zone.classList.remove('over'));
addEventListener('drop', e => {
  zone.classList.remove('over');
  if (!over(e) || sending) return;
  const one = new DataTransfer();
  one.items.add(e.dataTransfer.files[0]);
  file.files = one.files;
  chosen();
});
