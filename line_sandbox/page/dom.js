// Creates DOM elements. All text is inserted as text nodes: messages can contain anything, including HTML.

export function element(name, className, ...children) {
  const created = document.createElement(name);
  if (className) created.className = className;
  created.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return created;
}

export function picture(url, alt) {
  const image = element("img", "picture");
  image.alt = alt || url;
  image.title = url;
  image.referrerPolicy = "no-referrer";
  image.addEventListener("error", () => image.replaceWith(element("span", "no-picture", url)));
  image.src = url;
  return image;
}
