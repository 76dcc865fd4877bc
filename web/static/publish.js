// Shows how a video will look while somebody types, and lets them choose a time on their own clock.
const form = document.querySelector('form[action$="/publish"]'), at = form.elements.at, zone = form.elements.zone;
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
const note = document.getElementById('zone-hint');
if (here && (zone.value === 'UTC' && !at.value || zone.value === here)) { // what came back is on the clock that it was typed on
  zone.value = here;
  note.textContent = note.dataset.here.replace('{zone}', here);
}
at.addEventListener('input', () => { form.elements.when.value = at.value ? 'later' : 'now'; });
form.addEventListener('formdata', e => { if (form.elements.when.value === 'now') e.formData.delete('at'); }); // was taken back

const words = text => text.trim().split(/\s+/u).join(' ');
const beginning = (text, most) => {
  const letters = [...text];
  return letters.length > most ? letters.slice(0, most).join('').trim() + '…' : text;
};
const when = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' });
const show = () => {
  const texts = { title: words(form.elements.title.value), text: form.elements.description.value.trim() };
  const later = form.elements.when.value === 'later' && at.value, privacy = form.elements.privacy.value;
  document.querySelectorAll('.preview').forEach(card => {
    let cut = false;
    for (const [name, most] of [['title', 70], ['text', 150]]) {
      const seen = beginning(texts[name], most), p = card.querySelector('.seen.' + name);
      p.textContent = seen || p.dataset.empty;
      cut ||= seen !== texts[name];
    }
    card.querySelector('.cut').hidden = !cut;
    const who = card.querySelector('.who span');
    who.textContent = privacy === 'public' && later ? who.dataset.later.replace('{time}', when.format(new Date(at.value))) : who.dataset[privacy];
  });
};
form.addEventListener('input', show);
show();
