// A shape that is put onto a flow, or onto its name, gets room: it keeps its distance from what comes before, and what follows moves on, its lines too.
import CommandInterceptor from 'diagram-js/lib/command/CommandInterceptor';
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { getMid } from 'diagram-js/lib/layout/LayoutUtil';
import { selfAndAllChildren } from 'diagram-js/lib/util/Elements';

const EARLY = 2000; // before the library asks what lies below
const LATE = 300; // after the library has put the shape into the flow
const JOINED = 50;
const APART = 20;
const IN_LINE = 2;
const NAME = 6;
const AXES = { x: { size: 'width', across: 'y', breadth: 'height', direction: 'e' }, y: { size: 'height', across: 'x', breadth: 'width', direction: 's' } };

const end = (shape, axis) => shape[axis] + shape[AXES[axis].size];
const overlap = (one, other, axis) => one[axis] < end(other, axis) && other[axis] < end(one, axis);
const isNode = (element) => is(element, 'bpmn:FlowNode') && !element.host && !element.labelTarget && !element.waypoints;

/** Making room for one shape along one axis; what stands before it and what behind is as it was when it was put down. */
class Squeeze {
  constructor(shape, put, axis) {
    Object.assign(this, { shape, put, axis });
    this.joined = new Set([...shape.incoming.map(({ source }) => source), ...shape.outgoing.map(({ target }) => target)]);
  }

  gap(other) {
    return this.joined.has(other) ? JOINED : APART;
  }

  /** What lies beside the shape along this axis, on its way. */
  beside() {
    const { across } = AXES[this.axis];
    return this.shape.parent.children.filter((other) => {
      if (other === this.shape || !isNode(other) || !overlap(this.shape, other, across)) return false;
      const there = getMid(other);
      return Math.abs(there[this.axis] - this.put[this.axis]) >= Math.abs(there[across] - this.put[across]);
    });
  }

  /** How far the shape has to go. */
  away() {
    const before = this.beside().filter((other) => getMid(other)[this.axis] <= this.put[this.axis]);
    return Math.max(0, ...before.map((other) => end(other, this.axis) + this.gap(other) - this.shape[this.axis]));
  }

  /** Where what stands behind begins, and how far it has to go; what stands in one row or column goes together. */
  onward() {
    const { axis } = this;
    const behind = this.beside().filter((other) => getMid(other)[axis] > this.put[axis]);
    const by = Math.max(0, ...behind.map((other) => end(this.shape, axis) + this.gap(other) - other[axis]));
    const mids = behind.map((other) => getMid(other)[axis]);
    const row = this.shape.parent.children.filter((other) => other !== this.shape && isNode(other) && mids.some((mid) => Math.abs(mid - getMid(other)[axis]) <= IN_LINE));
    return { by, from: Math.min(...row.map((other) => other[axis])) - 1 };
  }
}

class Room extends CommandInterceptor {
  constructor(eventBus, modeling, spaceTool, canvas) {
    super(eventBus);
    Object.assign(this, { modeling, spaceTool, canvas });
    eventBus.on(['create.hover', 'create.move', 'shape.move.hover', 'shape.move.move'], EARLY, (event) => {
      if (event.hover?.labelTarget?.waypoints) event.hover = event.hover.labelTarget;
    });
    this.postExecuted('shape.create', LATE, ({ context: { shape, targetFlow } }) => { if (targetFlow) this.make(shape); });
    this.postExecuted('elements.move', LATE, ({ context: { shapes, targetFlow } }) => { if (targetFlow) this.make(shapes[0]); });
  }

  make(shape) {
    const put = getMid(shape);
    const moved = ['x', 'y'].filter((axis) => this.along(shape, new Squeeze(shape, put, axis)));
    if (moved.length) for (const line of [...shape.incoming, ...shape.outgoing]) this.tidy(line, shape);
  }

  /** A line to what lies straight beside or below is straight; its name stands beside it. */
  tidy(line, shape) {
    const { source, target, label } = line;
    const straight = ['x', 'y'].some((axis) => overlap(source, target, axis));
    if (straight) this.modeling.layoutConnection(line, { waypoints: [], connectionStart: getMid(source), connectionEnd: getMid(target) });
    if (label && overlap(label, shape, 'x') && overlap(label, shape, 'y')) this.readable(line);
  }

  readable({ source, target, label, waypoints: [first, second] }) {
    const beside = overlap(source, target, 'x');
    const there = { x: (first.x + second.x) / 2 - (beside ? label.width / 2 + NAME : 0), y: (first.y + second.y) / 2 - (beside ? 0 : label.height / 2 + NAME) };
    const here = getMid(label);
    this.modeling.moveShape(label, { x: there.x - here.x, y: there.y - here.y });
  }

  along(shape, squeeze) {
    const { axis } = squeeze;
    const by = squeeze.away();
    if (by) this.modeling.moveShape(shape, { x: 0, y: 0, [axis]: by });
    const onward = squeeze.onward();
    if (onward.by) this.push(shape, axis, onward);
    return by || onward.by;
  }

  /** Moves everything from a line on, but for the shape. */
  push(shape, axis, { by, from }) {
    const all = selfAndAllChildren(this.canvas.getRootElement(), true);
    const { movingShapes, resizingShapes } = this.spaceTool.calculateAdjustments(all, axis, by, from);
    const [moving, resizing] = [movingShapes, resizingShapes].map((shapes) => shapes.filter((one) => one !== shape && one !== shape.label));
    this.modeling.createSpace(moving, resizing, { x: 0, y: 0, [axis]: by }, AXES[axis].direction, from);
  }
}
Room.$inject = ['eventBus', 'modeling', 'spaceTool', 'canvas'];

export default { __init__: ['wzRoom'], wzRoom: ['type', Room] };
