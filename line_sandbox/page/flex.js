// Renders Flex Messages approximately as LINE does.
import { element, picture } from "./dom.js";

const SIZES = {
  xxs: "11px", xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "18px", xxl: "22px", "3xl": "26px", "4xl": "32px", "5xl": "40px",
};
const SPACINGS = { none: "0", xs: "2px", sm: "4px", md: "8px", lg: "12px", xl: "16px", xxl: "20px" };
const ALIGNMENTS = { start: "flex-start", end: "flex-end", center: "center", top: "flex-start", bottom: "flex-end" };

const spacing = (value) => SPACINGS[value] ?? value ?? "";

function applyCommon(rendered, component, parentLayout) {
  const style = rendered.style;
  if (component.flex !== undefined) style.flex = component.flex ? `${component.flex} ${component.flex} 0` : "none";
  else if (parentLayout && parentLayout !== "vertical" && component.type !== "separator") style.flex = "1 1 0";
  if (component.margin) style[parentLayout === "vertical" ? "marginTop" : "marginLeft"] = spacing(component.margin);
  if (component.backgroundColor) style.backgroundColor = component.backgroundColor;
  if (component.gravity) style.alignSelf = ALIGNMENTS[component.gravity];
  return rendered;
}

function box(component) {
  const rendered = element("div", "flex-box", ...component.contents.map((part) => renderComponent(part, component.layout)));
  const style = rendered.style;
  style.flexDirection = component.layout === "vertical" ? "column" : "row";
  if (component.layout === "baseline") style.alignItems = "baseline";
  style.gap = spacing(component.spacing);
  style.padding = spacing(component.paddingAll);
  for (const side of ["Top", "Bottom", "Start", "End"]) {
    const padding = component[`padding${side}`];
    if (padding) style[`padding${{ Start: "Left", End: "Right" }[side] ?? side}`] = spacing(padding);
  }
  style.borderRadius = spacing(component.cornerRadius);
  if (component.borderColor) style.border = `1px solid ${component.borderColor}`;
  for (const side of ["width", "height", "maxWidth", "maxHeight"]) if (component[side]) style[side] = component[side];
  if (component.justifyContent) style.justifyContent = component.justifyContent;
  if (component.alignItems) style.alignItems = component.alignItems;
  return rendered;
}

function applyTextStyle(rendered, component) {
  const style = rendered.style;
  if (component.size) style.fontSize = SIZES[component.size] ?? component.size;
  if (component.weight === "bold") style.fontWeight = "bold";
  if (component.style === "italic") style.fontStyle = "italic";
  if (component.decoration) style.textDecoration = component.decoration;
  if (component.color) style.color = component.color;
  return rendered;
}

function text(component) {
  const parts = component.contents?.map((span) => applyTextStyle(element("span", "", span.text ?? ""), span)) ?? [component.text];
  const rendered = applyTextStyle(element("div", component.wrap ? "flex-text wrapped" : "flex-text", ...parts), component);
  if (component.align) rendered.style.textAlign = component.align;
  return rendered;
}

function image(component) {
  const rendered = picture(component.url, "image");
  if (component.aspectRatio) rendered.style.aspectRatio = component.aspectRatio.replace(":", " / ");
  rendered.style.objectFit = component.aspectMode === "cover" ? "cover" : "contain";
  if (component.size === "full") rendered.style.width = "100%";
  return rendered;
}

function button(component) {
  const rendered = element("span", `button ${component.style ?? "link"}`, component.action.label ?? component.action.type);
  if (component.color) rendered.style[component.style === "primary" || component.style === "secondary" ? "backgroundColor" : "color"] = component.color;
  return rendered;
}

const RENDERERS = {
  box, text, image, button,
  icon: (component) => applyTextStyle(picture(component.url, "icon"), component),
  video: (component) => picture(component.previewUrl, "video"),
  separator: (component) => {
    const rendered = element("hr");
    if (component.color) rendered.style.borderColor = component.color;
    return rendered;
  },
  filler: () => element("span", "filler"),
};

function renderComponent(component, parentLayout) {
  const render = RENDERERS[component.type];
  return render ? applyCommon(render(component), component, parentLayout) : element("span", "quiet", component.type);
}

function bubble(content) {
  const blocks = ["header", "hero", "body", "footer"].filter((name) => content[name]).map((name) => {
    const block = element("div", `flex-block ${name}`, renderComponent(content[name]));
    const style = content.styles?.[name];
    if (style?.backgroundColor) block.style.backgroundColor = style.backgroundColor;
    if (style?.separator) block.style.borderTop = `1px solid ${style.separatorColor ?? "#d4d6da"}`;
    return block;
  });
  const rendered = element("div", `flex-bubble ${content.size ?? "mega"}`, ...blocks);
  if (content.direction === "rtl") rendered.dir = "rtl";
  return rendered;
}

export function flex(message) {
  const content = message.contents;
  const rendered = content.type === "carousel"
    ? element("div", "carousel", ...content.contents.map(bubble))
    : bubble(content);
  rendered.title = message.altText;
  return rendered;
}
