// Diagrams are text; where Mermaid lies beside this file, it draws them.
const beside = new URL("mermaid.min.js", document.currentScript.src);
if (document.querySelector("pre.mermaid")) {
  const script = document.createElement("script");
  script.src = beside;
  script.onload = () => {
    const dark = document.body.dataset.theme === "dark" ||
      (document.body.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    mermaid.initialize({ startOnLoad: false, theme: dark ? "dark" : "neutral" });
    mermaid.run({ querySelector: "pre.mermaid" });
  };
  document.head.append(script);
}
