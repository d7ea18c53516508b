// Renders LINE's message objects as chat bubbles.
import { element, picture } from "./dom.js";
import { flex } from "./flex.js";

const label = (action) => action?.label || action?.text || action?.uri || action?.data || action?.type || "";

export const button = (action) => element("span", "button", label(action));

function text(message) {
  return element("div", "bubble text", message.text);
}

function textWithSubstitutions(message) {
  const parts = message.text.split(/(\{\{|\}\}|\{\w+\})/).map((part) => {
    if (part === "{{" || part === "}}") return part[0];
    const target = message.substitution?.[part.slice(1, -1)];
    if (!target || part[0] !== "{") return part;
    if (target.type === "mention") return element("b", "mention", target.mentionee.type === "all" ? "@All" : "@user");
    return element("span", "emoji", "🙂");
  });
  return element("div", "bubble text", ...parts);
}

function sticker(message) {
  return element("div", "sticker", element("span", "placeholder", "😊"), element("small", "", `sticker ${message.packageId}/${message.stickerId}`));
}

function image(message) {
  return element("div", "bubble media", picture(message.previewImageUrl, "image"));
}

function video(message) {
  return element("div", "bubble media video", picture(message.previewImageUrl, "video"), element("span", "play", "▶"));
}

function audio(message) {
  return element("div", "bubble text", `▶ ${Math.round(message.duration / 1000)} s audio`);
}

function location(message) {
  return element("div", "bubble text", "📍 ", element("b", "", message.title), element("br"), message.address);
}

function coupon(message) {
  return element("div", "bubble coupon", "🎟 coupon ", element("code", "", message.couponId));
}

function imagemap(message) {
  return element("div", "bubble media", picture(`${message.baseUrl}/1040`, message.altText));
}

function card(text, actions, pictureUrl, title) {
  return element("div", "card",
    pictureUrl && picture(pictureUrl, title || "picture"),
    title && element("b", "title", title),
    element("div", "content", text),
    ...actions.map(button));
}

function template(message) {
  const content = message.template;
  switch (content.type) {
    case "carousel":
      return element("div", "carousel", ...content.columns.map((column) =>
        card(column.text, column.actions, column.thumbnailImageUrl, column.title)));
    case "image_carousel":
      return element("div", "carousel", ...content.columns.map((column) =>
        element("div", "card", picture(column.imageUrl, "picture"), button(column.action))));
    default:
      return element("div", `template ${content.type}`,
        card(content.text, content.actions, content.thumbnailImageUrl, content.title));
  }
}

const RENDERERS = {
  text, textV2: textWithSubstitutions, sticker, image, video, audio, location, coupon, imagemap, template, flex,
};

export function bubble(message) {
  const render = RENDERERS[message.type];
  const rendered = render ? render(message) : element("div", "bubble text quiet", message.type);
  const quickReplies = message.quickReply?.items?.map((item) => button(item.action)) ?? [];
  const sender = message.sender?.name && element("small", "sender", message.sender.name);
  return element("div", "message", sender, rendered, quickReplies.length ? element("div", "quick-replies", ...quickReplies) : null);
}
