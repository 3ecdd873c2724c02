/* page.js: draws what a program did to its pools, lines against time, and the states that broke recovery */
/* SPDX-License-Identifier: BSD-3-Clause */
"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const STORE = 1, FLUSH = 2, FLUSH_ORDERED = 3, FENCE = 4, SYNC = 5, SIZE = 6, OUTPUT = 7;
const FIELDS = 7; /* numbers of an event: kind, flags, thread, pool, offset, length, place */
const OBSERVED = 2; /* a flag: found by comparing */
const FLAGS = ["unordered", "observed", "unseen", "by the kernel", "non-temporal"];
const NAMES = {1: "store", 2: "flush", 3: "flush (ordered)", 4: "fence", 5: "sync", 6: "size", 7: "output"};
const GUTTER = 118, LANE = 44, LABEL = 12, HUGE = 4096, CONTEXT = 12;
const element = (id) => document.getElementById(id);
const canvas = element("canvas"), tip = element("tip"), pen = canvas.getContext("2d");

let run = null;       /* the one shown */
let finding = null;   /* the one chosen, of that run */
let chosen = -1;      /* an event of it */
let view = {t: 0, perEvent: 1, r: 0, perRow: 12};
let colours = {}, pending = false;

function make(parent, tag, text, attributes) {
	const child = document.createElement(tag);
	if (text !== undefined && text !== null)
		child.textContent = text;
	Object.assign(child, attributes || {});
	parent.append(child);
	return child;
}

/* --- Runs ---------------------------------------------------------------------------------- */

const KEY = 2 ** 42; /* units of one pool come before those of the next */
const keyOf = (pool, unit) => pool * KEY + unit;

function firstNotBelow(list, value) {
	let low = 0, high = list.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (list[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Rows are the lines that were stored to; of a huge store its ends are enough. */
function prepare(one) {
	if (one.rows)
		return;
	const events = one.events, keys = new Set();
	one.count = events.length / FIELDS;
	for (let at = 0; at < events.length; at += FIELDS) {
		if (events[at] !== STORE || events[at + 5] === 0)
			continue;
		const pool = events[at + 3], first = Math.floor(events[at + 4] / data.unit);
		const last = Math.floor((events[at + 4] + events[at + 5] - 1) / data.unit);
		for (let unit = first; unit <= last; unit++) {
			if (last - first < HUGE || unit === first || unit === last)
				keys.add(keyOf(pool, unit));
		}
	}
	one.rows = Float64Array.from(keys).sort();
	one.top = new Int32Array(one.count);
	one.bottom = new Int32Array(one.count); /* above the top: no row */
	for (let i = 0, at = 0; i < one.count; i++, at += FIELDS) {
		const pool = events[at + 3], length = Math.max(events[at + 5], 1);
		one.top[i] = firstNotBelow(one.rows, keyOf(pool, Math.floor(events[at + 4] / data.unit)));
		one.bottom[i] = firstNotBelow(one.rows, keyOf(pool, Math.floor((events[at + 4] + length - 1) / data.unit)) + 1) - 1;
		if (events[at] === FENCE || events[at] === OUTPUT || events[at] === SIZE)
			one.bottom[i] = one.top[i] - 1;
	}
	one.findings = data.findings.filter((other) => data.runs[other.run] === one);
	for (const other of one.findings) {
		other.lostSet = new Set(other.lost);
		other.tornSet = new Set(other.torn);
		other.bad = new Set(other.units.map((unit) =>
			firstNotBelow(one.rows, keyOf(unit.pool, Math.floor(unit.offset / data.unit)))));
	}
}

const kindOf = (i) => run.events[i * FIELDS];
const placeOf = (i) => data.places[run.events[i * FIELDS + 6]];
const cutOf = (one) => one.at === null ? run.count : one.at; /* the cut comes before this event */

function placeText(place) {
	if (!place)
		return "";
	const where = place[0] >= 0 ? data.files[place[0]].name + ":" + place[1] : "";
	return where && place[2] ? where + " (" + place[2] + ")" : where || place[2] || "";
}

function stateOf(i) {
	if (!finding || kindOf(i) !== STORE)
		return "";
	if (i >= cutOf(finding))
		return "after the cut: not reached";
	if (finding.lostSet.has(i))
		return "LOST at the cut";
	return finding.tornSet.has(i) ? "TORN: partly durable at the cut" : "durable at the cut";
}

function describe(i) {
	const at = i * FIELDS, kind = run.events[at], flags = run.events[at + 1], lines = [];
	lines.push("#" + (run.first + i) + " " + (NAMES[kind] || "event") + ", thread " + run.events[at + 2]);
	if (kind === SIZE)
		lines.push(data.pools[run.events[at + 3]] + " is " + run.events[at + 4] + " bytes long");
	else if (kind !== FENCE && kind !== OUTPUT)
		lines.push(data.pools[run.events[at + 3]] + " 0x" + run.events[at + 4].toString(16) + ", " + run.events[at + 5] + " bytes");
	if (kind === OUTPUT)
		lines.push(JSON.stringify(run.texts[i] || ""));
	if (kind === STORE && flags)
		lines.push(FLAGS.filter((name, bit) => flags >> bit & 1).join(", "));
	if (placeText(placeOf(i)))
		lines.push((kind === STORE && flags & OBSERVED ? "made before " : "") + placeText(placeOf(i)));
	if (stateOf(i))
		lines.push(stateOf(i));
	return lines.join("\n");
}

/* --- Drawing ------------------------------------------------------------------------------------ */

const width = () => canvas.clientWidth, height = () => canvas.clientHeight;
const xOf = (i) => GUTTER + (i - view.t) * view.perEvent;
const yOf = (row) => LANE + (row - view.r) * view.perRow;

function readColours() {
	const style = getComputedStyle(document.documentElement);
	for (const name of ["paper", "ink", "faint", "rule", "raised", "durable", "lost", "torn", "later", "flush", "fence", "sync",
			    "output", "band", "after"])
		colours[name] = style.getPropertyValue("--" + name).trim();
}

function clampView() {
	const rows = run.rows.length;
	view.perEvent = Math.min(Math.max(view.perEvent, Math.min(1, (width() - GUTTER - 12) / Math.max(run.count, 1))), 60);
	view.perRow = Math.min(Math.max(view.perRow, 3), 28);
	view.t = Math.min(Math.max(view.t, -5 / view.perEvent), Math.max(0, run.count - (width() - GUTTER - 12) / view.perEvent));
	view.r = Math.min(Math.max(view.r, 0), Math.max(0, rows - (height() - LANE - 4) / view.perRow));
}

function layerOf(i) {
	if (!finding)
		return "durable";
	if (i >= cutOf(finding))
		return "later";
	return finding.lostSet.has(i) ? "lost" : finding.tornSet.has(i) ? "torn" : "durable";
}

function drawBands() {
	const last = Math.min(run.rows.length, Math.ceil(view.r + (height() - LANE) / view.perRow));
	for (let row = Math.floor(view.r); row < last; row++) {
		if (finding && finding.bad.has(row)) {
			pen.fillStyle = colours.band;
			pen.fillRect(0, yOf(row), width(), view.perRow);
		}
		if (view.perRow >= 6) {
			pen.fillStyle = colours.rule;
			pen.fillRect(GUTTER, yOf(row + 1) - 0.5, width(), 0.5);
		}
	}
}

/* Where not every row has room for its label, those of the finding come first. */
function hasLabel(row, step) {
	if (finding && finding.bad.has(row))
		return true;
	for (let near = row - step + 1; finding && near < row + step; near++) {
		if (finding.bad.has(near))
			return false;
	}
	return row % step === 0;
}

function drawLabels() {
	const step = Math.max(1, Math.ceil(LABEL / view.perRow));
	const last = Math.min(run.rows.length, Math.ceil(view.r + (height() - LANE) / view.perRow));
	pen.fillStyle = colours.raised;
	pen.fillRect(0, 0, GUTTER - 4, height());
	pen.font = "11px ui-monospace, monospace";
	for (let row = Math.floor(view.r); row < last; row++) {
		if (!hasLabel(row, step))
			continue;
		if (yOf(row) < LANE - view.perRow / 2)
			continue;
		const pool = Math.floor(run.rows[row] / KEY), unit = run.rows[row] % KEY;
		pen.fillStyle = finding && finding.bad.has(row) ? colours.lost : colours.faint;
		pen.fillText((data.pools.length > 1 ? (pool + 1) + ": " : "") + "0x" + (unit * data.unit).toString(16), 6,
			     yOf(row) + view.perRow / 2 + 4);
	}
	pen.fillStyle = colours.faint;
	pen.fillText("output", 6, 14);
	pen.fillText("fence", 6, 30);
}

/* Rectangles wait until all of a colour can be filled in one go, which is many times faster; in this order. */
const layers = {flush: [], fence: [], sync: [], later: [], durable: [], torn: [], lost: []};

function put(layer, x, y, wide, high) {
	const list = layers[layer], last = list.length - 4;
	if (last < 0 || Math.abs(list[last] - x) >= 0.5 || list[last + 1] !== y || list[last + 3] !== high)
		list.push(x, y, wide, high);
}

function fillLayers() {
	for (const [layer, list] of Object.entries(layers)) {
		pen.fillStyle = colours[layer];
		for (let at = 0; at < list.length; at += 4)
			pen.fillRect(list[at], list[at + 1], list[at + 2], list[at + 3]);
		list.length = 0;
	}
}

function drawTriangle(x, colour) {
	pen.fillStyle = colour;
	pen.beginPath();
	pen.moveTo(x - 4, 6);
	pen.lineTo(x + 5, 6);
	pen.lineTo(x + 0.5, 16);
	pen.fill();
}

function drawFence(x) {
	if (view.perEvent < 3)
		return;
	pen.fillStyle = colours.fence;
	pen.globalAlpha = 0.25;
	pen.fillRect(x, LANE, 1, height());
	pen.globalAlpha = 1;
}

function drawEvent(i, mark) {
	const kind = kindOf(i), x = xOf(i), top = Math.max(yOf(run.top[i]), LANE);
	const bottom = Math.min(yOf(run.bottom[i] + 1), height()), thin = Math.min(3, view.perRow / 3);
	switch (kind) {
	case STORE:
		if (bottom > top)
			put(layerOf(i), x, top + 1, mark, Math.max(bottom - top - 2, 1));
		break;
	case FLUSH:
	case FLUSH_ORDERED:
		if (bottom > top)
			put("flush", x, bottom - thin, mark, thin);
		if (bottom - top > view.perRow * 1.5)
			put("flush", x, top, Math.min(mark, 2), bottom - top);
		break;
	case FENCE:
		put("fence", x, 22, Math.min(mark, 3), 12);
		drawFence(x);
		break;
	case SYNC:
		if (bottom > top)
			put("sync", x, top, Math.min(mark, 3), bottom - top);
		put("sync", x, 22, Math.min(mark, 3), 12);
		break;
	case OUTPUT:
		drawTriangle(x, colours.output);
		break;
	case SIZE:
		drawTriangle(x, colours.sync);
		break;
	}
}

function drawCut() {
	const x = xOf(cutOf(finding)) - Math.min(view.perEvent / 2, 4);
	if (x < GUTTER || x > width())
		return;
	pen.fillStyle = colours.after;
	pen.fillRect(x, LANE, width() - x, height());
	pen.fillStyle = colours.lost;
	pen.fillRect(x - 1, 0, 2, height());
	pen.font = "bold 11px system-ui, sans-serif";
	pen.fillText("power cut", Math.min(x + 5, width() - 60), 40);
}

function drawChosen() {
	const x = xOf(chosen), mark = Math.max(Math.min(view.perEvent * 0.8, 12), 2);
	pen.strokeStyle = colours.ink;
	pen.lineWidth = 1.5;
	pen.beginPath();
	pen.moveTo(x + mark / 2, LANE - 6);
	pen.lineTo(x + mark / 2, height());
	pen.globalAlpha = 0.35;
	pen.stroke();
	pen.globalAlpha = 1;
	if (run.bottom[chosen] >= run.top[chosen])
		pen.strokeRect(x - 2, yOf(run.top[chosen]) - 1, mark + 4, (run.bottom[chosen] - run.top[chosen] + 1) * view.perRow + 2);
}

function draw() {
	const ratio = window.devicePixelRatio || 1, mark = Math.max(Math.min(view.perEvent * 0.8, 12), 1.5);
	pending = false;
	if (canvas.width !== Math.round(width() * ratio) || canvas.height !== Math.round(height() * ratio)) {
		canvas.width = Math.round(width() * ratio);
		canvas.height = Math.round(height() * ratio);
	}
	pen.setTransform(ratio, 0, 0, ratio, 0, 0);
	clampView();
	pen.fillStyle = colours.paper;
	pen.fillRect(0, 0, width(), height());
	drawBands();
	pen.save();
	pen.beginPath();
	pen.rect(GUTTER, 0, width(), height());
	pen.clip();
	const first = Math.max(0, Math.floor(view.t - 12 / view.perEvent));
	const last = Math.min(run.count - 1, Math.ceil(view.t + (width() - GUTTER) / view.perEvent));
	for (let i = first; i <= last; i++)
		drawEvent(i, mark);
	for (const i of finding ? finding.lost : []) /* wide enough to be seen from afar */
		drawEvent(i, Math.max(mark, 3));
	fillLayers();
	if (finding)
		drawCut();
	if (chosen >= 0)
		drawChosen();
	pen.restore();
	drawLabels();
	document.body.dataset.drawn = String(last - first + 1);
}

function redraw() {
	if (!pending) {
		pending = true;
		requestAnimationFrame(draw);
	}
}

/* --- Going about --------------------------------------------------------------------------------- */

function fit() {
	view = {t: 0, perEvent: (width() - GUTTER - 12) / Math.max(run.count, 1), r: 0,
		perRow: (height() - LANE - 4) / Math.max(run.rows.length, 1)};
	redraw();
}

function zoom(factor, x) {
	const at = view.t + (x - GUTTER) / view.perEvent;
	view.perEvent *= factor;
	clampView();
	view.t = at - (x - GUTTER) / view.perEvent;
	redraw();
}

/* The events from first to last in the middle, and a row of theirs in sight. */
function show(first, last, row) {
	const span = Math.max(last - first + 1, 12) * 1.6;
	view.perEvent = (width() - GUTTER) / span;
	view.perRow = Math.max(view.perRow, 10);
	clampView();
	view.t = (first + last) / 2 - (width() - GUTTER) / view.perEvent / 2;
	if (row >= 0)
		view.r = row - (height() - LANE) / view.perRow / 2;
	redraw();
}

function reveal(i) {
	const x = xOf(i), y = yOf(run.top[i]);
	if (x < GUTTER + 20 || x > width() - 20)
		view.t = i - (width() - GUTTER) / view.perEvent / 2;
	if (run.bottom[i] >= run.top[i] && (y < LANE || y > height() - view.perRow))
		view.r = run.top[i] - (height() - LANE) / view.perRow / 2;
}

function showCut() {
	if (!finding)
		return;
	const cut = Math.min(cutOf(finding), run.count - 1);
	const marks = [finding.places.store, finding.places.other, finding.places.after].filter((i) => i >= 0 && Math.abs(i - cut) < 400);
	const rows = [...finding.bad];
	show(Math.min(cut, ...marks), Math.max(cut, ...marks), rows.length ? rows[0] : run.top[cut]);
}

/* Of the finding, where the event itself has none: a store that was found by comparing. */
function knownPlace() {
	const events = finding ? Object.values(finding.places).filter((i) => i >= 0 && placeOf(i)[0] >= 0) : [];
	return events.length ? placeOf(events[0]) : null;
}

function choose(i) {
	if (i < 0 || i >= run.count)
		return;
	chosen = i;
	reveal(i);
	element("details").textContent = "";
	make(element("details"), "pre", describe(i), {className: "said"});
	showSource(placeOf(i)[0] >= 0 ? placeOf(i) : knownPlace());
	redraw();
}

/* --- Beside the chart -------------------------------------------------------------------------------- */

function marksIn(file) {
	const marks = new Map();
	for (const [role, i] of finding ? Object.entries(finding.places) : []) {
		const place = i >= 0 ? placeOf(i) : null;
		if (place && place[0] === file)
			marks.set(place[1], (marks.has(place[1]) ? marks.get(place[1]) + ", " : "") + finding.roles[role]);
	}
	return marks;
}

function showSource(place) {
	const parent = element("source");
	parent.textContent = "";
	if (!place || place[0] < 0)
		return;
	const file = data.files[place[0]], marks = marksIn(place[0]);
	make(parent, "h2", file.name);
	if (!file.lines) {
		make(parent, "p", "This source could not be read when the page was made.");
		return;
	}
	const pre = make(parent, "pre");
	for (let line = Math.max(1, place[1] - CONTEXT); line <= Math.min(file.lines.length, place[1] + CONTEXT); line++) {
		const span = make(pre, "span", String(line).padStart(5) + "  " + file.lines[line - 1]);
		if (marks.has(line)) {
			span.className = "marked";
			make(span, "em", "   \u2190 " + marks.get(line));
		}
		if (line === place[1])
			span.classList.add("here");
	}
}

function addFact(parent, name, value) {
	if (value)
		make(make(parent, "p", name + ": "), "code", value);
}

function showFinding() {
	const parent = element("finding");
	parent.textContent = "";
	if (!finding) {
		make(parent, "p", data.findings.length ? "" : "No power cut that was tried broke recovery.");
		return;
	}
	make(make(parent, "p"), "strong", finding.sentence);
	addFact(parent, "advice", finding.advice);
	const list = make(parent, "ul", null, {id: "places"});
	for (const [role, i] of Object.entries(finding.places)) {
		if (i < 0)
			continue;
		const button = make(make(list, "li", finding.roles[role] + ": "), "button", placeText(placeOf(i)) || "event #" + (run.first + i));
		button.onclick = () => choose(i);
	}
	addFact(parent, "the check", finding.verdict);
	if (finding.output)
		make(parent, "pre", finding.output, {className: "said"});
	if (finding.promised)
		make(make(parent, "p", "what the program had written before the cut:"), "pre", finding.promised, {className: "said"});
	addFact(parent, "replay", finding.replay);
}

function chooseFinding(index) {
	const buttons = element("findings").querySelectorAll("button");
	if (index < 0 || index >= data.findings.length)
		return;
	chooseRun(data.findings[index].run);
	finding = data.findings[index];
	buttons.forEach((button, i) => button.setAttribute("aria-current", String(i === index)));
	showFinding();
	showCut();
	const first = [finding.places.store, finding.places.after, finding.places.other].find((i) => i >= 0);
	if (first !== undefined)
		choose(first);
	history.replaceState(null, "", "#" + finding.id);
}

function chooseRun(index) {
	element("runs").value = String(index);
	if (run === data.runs[index])
		return;
	run = data.runs[index];
	prepare(run);
	finding = null;
	chosen = -1;
	showFinding();
	fit();
}

/* --- What the user does ---------------------------------------------------------------------------------- */

function eventAt(x, y) {
	const reach = Math.max(Math.ceil(5 / view.perEvent), 1), middle = view.t + (x - GUTTER) / view.perEvent;
	const row = Math.floor(view.r + (y - LANE) / view.perRow);
	let best = -1, distance = Infinity;
	for (let i = Math.max(0, Math.floor(middle) - reach); i <= Math.min(run.count - 1, Math.ceil(middle) + reach); i++) {
		const hit = y < LANE ? run.bottom[i] < run.top[i] || kindOf(i) === SYNC : row >= run.top[i] && row <= run.bottom[i];
		const away = Math.abs(i + 0.4 - middle) + (kindOf(i) === STORE ? 0 : 0.1);
		if (hit && away < distance) {
			best = i;
			distance = away;
		}
	}
	return distance * view.perEvent < 14 ? best : -1;
}

function hover(event) {
	const i = event.offsetX > GUTTER ? eventAt(event.offsetX, event.offsetY) : -1;
	tip.style.display = i < 0 ? "none" : "block";
	if (i < 0)
		return;
	tip.textContent = describe(i);
	tip.style.left = Math.max(0, Math.min(event.offsetX + 14, width() - tip.offsetWidth - 4)) + "px";
	tip.style.top = Math.max(0, Math.min(event.offsetY + 14, height() - tip.offsetHeight - 4)) + "px";
}

let drag = null;
canvas.addEventListener("pointerdown", (event) => {
	drag = {x: event.offsetX, y: event.offsetY, t: view.t, r: view.r, moved: false};
	canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
	if (!drag) {
		hover(event);
		return;
	}
	drag.moved = drag.moved || Math.abs(event.offsetX - drag.x) + Math.abs(event.offsetY - drag.y) > 3;
	view.t = drag.t - (event.offsetX - drag.x) / view.perEvent;
	view.r = drag.r - (event.offsetY - drag.y) / view.perRow;
	redraw();
});
canvas.addEventListener("pointerup", (event) => {
	const i = drag && !drag.moved ? eventAt(event.offsetX, event.offsetY) : -1;
	drag = null;
	if (i >= 0)
		choose(i);
});
canvas.addEventListener("pointerleave", () => { tip.style.display = "none"; });
canvas.addEventListener("wheel", (event) => {
	event.preventDefault();
	if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
		view.r += (event.shiftKey ? event.deltaY || event.deltaX : 0) / view.perRow;
		view.t += event.shiftKey ? 0 : event.deltaX / view.perEvent;
		redraw();
	} else {
		zoom(Math.pow(1.0015, -event.deltaY), event.offsetX);
	}
}, {passive: false});

const chosenFinding = () => data.findings.indexOf(finding);
const keys = {
	ArrowRight: () => choose(chosen + 1), ArrowLeft: () => choose(chosen < 0 ? 0 : chosen - 1),
	ArrowDown: () => { view.r += 3; redraw(); }, ArrowUp: () => { view.r -= 3; redraw(); },
	PageDown: () => { view.t += (width() - GUTTER) / view.perEvent * 0.8; redraw(); },
	PageUp: () => { view.t -= (width() - GUTTER) / view.perEvent * 0.8; redraw(); },
	"+": () => zoom(1.5, GUTTER + (width() - GUTTER) / 2), "=": () => keys["+"](),
	"-": () => zoom(1 / 1.5, GUTTER + (width() - GUTTER) / 2), 0: fit, c: showCut,
	n: () => chooseFinding(chosenFinding() + 1), p: () => chooseFinding(chosenFinding() - 1),
};
document.addEventListener("keydown", (event) => {
	if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLSelectElement || !(event.key in keys))
		return;
	event.preventDefault();
	keys[event.key]();
});
element("closer").onclick = keys["+"];
element("wider").onclick = keys["-"];
element("fit").onclick = fit;
element("cut").onclick = showCut;
element("runs").onchange = (event) => chooseRun(Number(event.target.value));
new ResizeObserver(redraw).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); redraw(); });

/* --- Beginning ----------------------------------------------------------------------------------------------- */

function begin() {
	element("title").textContent = "pmem crash: " + data.program;
	element("summary").textContent = data.summary;
	element("proof").textContent = data.not_proof;
	element("proof").hidden = !data.not_proof;
	data.findings.forEach((one, i) => {
		const button = make(make(element("findings"), "li"), "button");
		make(button, "b", one.kind);
		button.append(" " + one.sentence);
		button.onclick = () => chooseFinding(i);
	});
	for (const text of data.hints)
		make(element("hints"), "li", text);
	for (const [name, colour] of [["durable store", "durable"], ["lost", "lost"], ["torn", "torn"], ["not reached", "later"], ["flush", "flush"],
				      ["fence", "fence"], ["sync", "sync"], ["output", "output"]])
		make(make(element("legend"), "span", name), "i").style.background = "var(--" + colour + ")";
	element("legend").querySelectorAll("span").forEach((span) => span.prepend(span.querySelector("i")));
	data.runs.forEach((one, i) => make(element("runs"), "option", one.name, {value: String(i)}));
	element("runs").hidden = data.runs.length < 2;
	readColours();
	chooseRun(0);
	const wanted = data.findings.findIndex((one) => "#" + one.id === location.hash);
	if (data.findings.length)
		chooseFinding(Math.max(wanted, 0));
}
begin();
})();
