// The template studio with a pointer: boxes are dragged on the film and bars on the timeline, and each change is drawn
// by the server at once.
// Without this script the same is set by numbers.
const form = document.getElementById('studio'), stage = form.querySelector('.stage'), film = stage.querySelector('video'), figure = stage.querySelector('figure');
const byId = id => document.getElementById(id), field = (n, name) => byId(`${n}.${name}`), number = input => Number(input.value.replace(',', '.')) || 0;
const time = byId('time'), at = byId('at'), said = byId('bench-said'), length = Number(form.dataset.seconds);

if (figure) {
  const image = figure.querySelector('img'), boxes = figure.querySelector('.boxes'), width = Number(stage.dataset.width), height = Number(stage.dataset.height);
  const places = [...boxes.querySelectorAll('[data-place]')].map(g => ({ n: g.dataset.place, box: g.querySelector('rect'), grip: g.querySelector('circle'), bar: form.querySelector(`[data-bar="${g.dataset.place}"]`) }));
  stage.classList.add('moving');
  film.controls = false;
  figure.prepend(film); // under the picture, which shows the same moment with the name

  const times = n => [number(field(n, 'start')), field(n, 'end').value.trim() === '' ? length : number(field(n, 'end'))];
  const outline = () => places.forEach(({ n, box, grip, bar }) => {
    const [x, y, w, h] = ['x', 'y', 'w', 'h'].map(k => number(field(n, k))), [start, end] = times(n);
    for (const [k, v] of Object.entries({ x, y, width: Math.max(0, w), height: Math.max(0, h) })) box.setAttribute(k, v);
    for (const [k, v] of Object.entries({ cx: x + w, cy: y + h, r: width / 45 })) grip.setAttribute(k, v);
    bar.setAttribute('x', start);
    bar.setAttribute('width', Math.max(0, end - start));
    box.parentNode.classList.toggle('away', number(at) < start || number(at) > end);
  });

  const faults = fields => {
    form.querySelectorAll('.fault').forEach(p => {
      const text = fields[p.id.slice(0, -6)] ?? '';
      p.querySelector('span').textContent = text;
      p.hidden = !text;
    });
    form.querySelectorAll('[aria-describedby$="-fault"]').forEach(i => i.toggleAttribute('aria-invalid', i.getAttribute('aria-describedby').slice(0, -6) in fields));
    form.querySelectorAll('[aria-invalid]').forEach(i => i.setAttribute('aria-invalid', 'true'));
    const rest = byId('template-fault');
    rest.replaceChildren(...fields.template ? [Object.assign(document.createElement('strong'), { textContent: fields.template })] : []);
    rest.hidden = !fields.template;
  };

  let asked = null, soon = 0;
  // Asks the server for what the fields make of the film; null: it refused, or another question came.
  const ask = async (what, signal) => {
    const body = new URLSearchParams(new FormData(form));
    body.set('do', what);
    try {
      const answer = await (await fetch(form.action, { method: 'POST', headers: { Accept: 'application/json' }, body, signal })).json();
      faults(answer.error?.fields ?? {});
      if (!answer.success && !answer.error?.fields) said.textContent = answer.error?.message ?? form.dataset.failed;
      return answer.success ? answer : null;
    } catch (e) {
      if (e.name !== 'AbortError') said.textContent = form.dataset.failed;
      return null;
    }
  };
  const draw = async () => {
    asked?.abort();
    const mine = asked = new AbortController();
    const answer = await ask('show', mine.signal);
    if (!answer || mine !== asked) return;
    image.src = answer.picture;
    await image.decode().catch(() => { });
    figure.classList.remove('none');
    stage.classList.remove('plays');
    if (said.textContent === form.dataset.failed) said.textContent = '';
  };
  const later = () => {
    outline();
    clearTimeout(soon);
    soon = setTimeout(draw, 200);
  };

  // The box follows the pointer; the grip at its corner changes its size.
  boxes.addEventListener('pointerdown', e => {
    const place = places.find(p => p.box === e.target || p.grip === e.target);
    if (!place || e.button) return;
    e.preventDefault();
    boxes.setPointerCapture(e.pointerId);
    const scale = width / boxes.getBoundingClientRect().width, sized = e.target === place.grip;
    const from = ['x', 'y', 'w', 'h'].map(k => number(field(place.n, k))), [x, y, w, h] = from;
    const put = (k, v, least, most) => { field(place.n, k).value = Math.round(Math.min(Math.max(v, least), Math.max(least, most))); };
    const move = ({ clientX, clientY }) => {
      const dx = (clientX - e.clientX) * scale, dy = (clientY - e.clientY) * scale;
      if (sized) {
        put('w', w + dx, 16, width - x);
        put('h', h + dy, 16, height - y);
      } else {
        put('x', x + dx, 0, width - w);
        put('y', y + dy, 0, height - h);
      }
      outline();
    };
    const end = () => {
      boxes.removeEventListener('pointermove', move);
      later();
    };
    boxes.addEventListener('pointermove', move);
    boxes.addEventListener('lostpointercapture', end, { once: true });
  });

  // A bar follows the pointer with its times; near one of its ends, that end alone.
  const bars = form.querySelector('.bars'), least = 0.2;
  bars.style.height = `${24 * places.length}px`; // each is large enough for a finger
  const grabbed = (bar, x) => {
    const { left, right } = bar.getBoundingClientRect(), reach = Math.min(12, (right - left) / 3);
    return x < left + reach ? 'start' : x > right - reach ? 'end' : 'both';
  };
  bars.addEventListener('pointermove', e => { if (e.target.dataset.bar) e.target.style.cursor = grabbed(e.target, e.clientX) === 'both' ? 'grab' : 'ew-resize'; });
  bars.addEventListener('pointerdown', e => {
    const place = places.find(p => p.bar === e.target);
    if (!place || e.button) return;
    e.preventDefault();
    bars.setPointerCapture(e.pointerId);
    const scale = length / bars.getBoundingClientRect().width, what = grabbed(place.bar, e.clientX), [start, end] = times(place.n);
    const put = (k, v) => { field(place.n, k).value = String(Math.round(Math.min(Math.max(v, 0), length) * 100) / 100); };
    const move = ({ clientX }) => {
      let by = (clientX - e.clientX) * scale;
      if (what === 'both') by = Math.min(Math.max(by, -start), length - end);
      if (what !== 'end') put('start', what === 'both' ? start + by : Math.min(start + by, end - least));
      if (what !== 'start') put('end', what === 'both' ? end + by : Math.max(end + by, start + least));
      outline();
    };
    bars.addEventListener('pointermove', move);
    bars.addEventListener('lostpointercapture', () => {
      bars.removeEventListener('pointermove', move);
      later();
    }, { once: true });
  });

  const go = seconds => {
    at.value = Math.min(Math.max(0, seconds), length).toFixed(2);
    time.value = at.value;
  };
  time.addEventListener('input', () => {
    go(Number(time.value));
    if (film.readyState) film.currentTime = number(at);
    later();
  });
  byId('play').addEventListener('click', () => {
    if (!film.paused) return film.pause();
    film.currentTime = number(at) < length - 0.2 ? number(at) : 0;
    film.play().catch(() => { });
  });
  film.addEventListener('play', () => stage.classList.add('plays'));
  film.addEventListener('timeupdate', () => {
    if (film.paused) return;
    go(film.currentTime);
    outline();
  });
  film.addEventListener('pause', () => {
    go(film.currentTime);
    later();
  });
  form.addEventListener('click', async e => {
    const now = e.target.closest('[data-now]'), button = e.target.closest('[value=video]');
    if (now) {
      byId(now.dataset.now).value = at.value;
      later();
    }
    if (!button) return;
    e.preventDefault();
    if (button.ariaBusy === 'true') return;
    button.ariaBusy = 'true';
    said.textContent = said.dataset.making;
    const answer = await ask('video');
    button.ariaBusy = 'false';
    if (!answer) return said.textContent === said.dataset.making && (said.textContent = '');
    const made = Object.assign(document.createElement('video'), { src: answer.video, controls: true, playsInline: true, ariaLabel: button.textContent });
    byId('trial').replaceChildren(made);
    said.textContent = said.dataset.drawn;
    made.play().catch(() => { });
  });
  form.addEventListener('input', e => {
    if (e.target === at) time.value = number(at);
    if (e.target !== time) later();
  });
  outline();
  draw();
}

// A file of the template is sent in place, so that what is not saved stays, and can be chosen at once.
const extras = byId('extras'), told = extras.querySelector('[role=status]');
extras.addEventListener('submit', async e => {
  e.preventDefault();
  const button = extras.querySelector('button');
  if (button.ariaBusy === 'true') return;
  button.ariaBusy = 'true';
  told.textContent = '';
  try {
    const answer = await (await fetch(extras.action, { method: 'POST', headers: { Accept: 'application/json' }, body: new FormData(extras) })).json();
    told.textContent = answer.success ? `${answer.id}: ${extras.dataset.added}` : answer.error.message;
    if (answer.success) {
      const kind = answer.id.match(/\.(\w+)$/)[1], into = { png: '[data-files=studio_image_file]', jpg: '[data-files=studio_image_file]', ttf: '#fonts', otf: '#fonts', ttc: '#fonts' }[kind] ?? '[data-files=studio_music]';
      document.querySelectorAll(into).forEach(list => list.append(Object.assign(document.createElement('option'), { value: answer.id, textContent: answer.id })));
      extras.reset();
    }
  } catch {
    told.textContent = form.dataset.failed;
  }
  button.ariaBusy = 'false';
});
