// Draws Flex Messages, near enough to how LINE does.
import { element, picture } from "./dom.js";

const SIZES = {
  xxs: "11px", xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "18px", xxl: "22px", "3xl": "26px", "4xl": "32px", "5xl": "40px",
};
const SPACES = { none: "0", xs: "2px", sm: "4px", md: "8px", lg: "12px", xl: "16px", xxl: "20px" };
const SIDES = { start: "flex-start", end: "flex-end", center: "center", top: "flex-start", bottom: "flex-end" };

const space = (value) => SPACES[value] ?? value ?? "";

function common(drawn, component, parentLayout) {
  const style = drawn.style;
  if (component.flex !== undefined) style.flex = component.flex ? `${component.flex} ${component.flex} 0` : "none";
  else if (parentLayout && parentLayout !== "vertical" && component.type !== "separator") style.flex = "1 1 0";
  if (component.margin) style[parentLayout === "vertical" ? "marginTop" : "marginLeft"] = space(component.margin);
  if (component.backgroundColor) style.backgroundColor = component.backgroundColor;
  if (component.gravity) style.alignSelf = SIDES[component.gravity];
  return drawn;
}

function box(component) {
  const drawn = element("div", "flex-box", ...component.contents.map((part) => draw(part, component.layout)));
  const style = drawn.style;
  style.flexDirection = component.layout === "vertical" ? "column" : "row";
  if (component.layout === "baseline") style.alignItems = "baseline";
  style.gap = space(component.spacing);
  style.padding = space(component.paddingAll);
  for (const side of ["Top", "Bottom", "Start", "End"]) {
    const padding = component[`padding${side}`];
    if (padding) style[`padding${{ Start: "Left", End: "Right" }[side] ?? side}`] = space(padding);
  }
  style.borderRadius = space(component.cornerRadius);
  if (component.borderColor) style.border = `1px solid ${component.borderColor}`;
  for (const side of ["width", "height", "maxWidth", "maxHeight"]) if (component[side]) style[side] = component[side];
  if (component.justifyContent) style.justifyContent = component.justifyContent;
  if (component.alignItems) style.alignItems = component.alignItems;
  return drawn;
}

function letters(drawn, component) {
  const style = drawn.style;
  if (component.size) style.fontSize = SIZES[component.size] ?? component.size;
  if (component.weight === "bold") style.fontWeight = "bold";
  if (component.style === "italic") style.fontStyle = "italic";
  if (component.decoration) style.textDecoration = component.decoration;
  if (component.color) style.color = component.color;
  return drawn;
}

function text(component) {
  const parts = component.contents?.map((span) => letters(element("span", "", span.text ?? ""), span)) ?? [component.text];
  const drawn = letters(element("div", component.wrap ? "flex-text wrapped" : "flex-text", ...parts), component);
  if (component.align) drawn.style.textAlign = component.align;
  return drawn;
}

function image(component) {
  const drawn = picture(component.url, "image");
  if (component.aspectRatio) drawn.style.aspectRatio = component.aspectRatio.replace(":", " / ");
  drawn.style.objectFit = component.aspectMode === "cover" ? "cover" : "contain";
  if (component.size === "full") drawn.style.width = "100%";
  return drawn;
}

function button(component) {
  const drawn = element("span", `button ${component.style ?? "link"}`, component.action.label ?? component.action.type);
  if (component.color) drawn.style[component.style === "primary" || component.style === "secondary" ? "backgroundColor" : "color"] = component.color;
  return drawn;
}

const DRAWN = {
  box, text, image, button,
  icon: (component) => letters(picture(component.url, "icon"), component),
  video: (component) => picture(component.previewUrl, "video"),
  separator: (component) => {
    const drawn = element("hr");
    if (component.color) drawn.style.borderColor = component.color;
    return drawn;
  },
  filler: () => element("span", "filler"),
};

function draw(component, parentLayout) {
  const make = DRAWN[component.type];
  return make ? common(make(component), component, parentLayout) : element("span", "quiet", component.type);
}

function bubble(content) {
  const blocks = ["header", "hero", "body", "footer"].filter((name) => content[name]).map((name) => {
    const block = element("div", `flex-block ${name}`, draw(content[name]));
    const style = content.styles?.[name];
    if (style?.backgroundColor) block.style.backgroundColor = style.backgroundColor;
    if (style?.separator) block.style.borderTop = `1px solid ${style.separatorColor ?? "#d4d6da"}`;
    return block;
  });
  const drawn = element("div", `flex-bubble ${content.size ?? "mega"}`, ...blocks);
  if (content.direction === "rtl") drawn.dir = "rtl";
  return drawn;
}

export function flex(message) {
  const content = message.contents;
  const drawn = content.type === "carousel"
    ? element("div", "carousel", ...content.contents.map(bubble))
    : bubble(content);
  drawn.title = message.altText;
  return drawn;
}
