/// A piece of HTML that is well-formed and escaped because it cannot be made in another way.
///
/// Names of elements and attributes are `StaticString`: literals of this program. All that comes from a file can only
/// become text or the value of an attribute, and both are escaped where they are put in.
package struct HTML: Sendable, Hashable {
    package private(set) var markup: String

    private init(markup: String) {
        self.markup = markup
    }

    package static let empty = HTML(markup: "")

    /// Text, shown as it is.
    package static func text(_ text: String) -> HTML {
        HTML(markup: escaped(text))
    }

    /// Text of a file: a run of its own for the direction of writing, so that it cannot reorder what stands around it.
    package static func foreign(_ text: String) -> HTML {
        element("bdi", [text.isEmpty ? .empty : .text(text)])
    }

    /// A part of the page that is a literal of this program.
    package static func literal(_ markup: StaticString) -> HTML {
        HTML(markup: markup.description)
    }

    package static func element(_ name: StaticString, _ children: [HTML]) -> HTML {
        element(name, [], children)
    }

    package static func element(_ name: StaticString, _ attributes: [Attribute], _ children: [HTML]) -> HTML {
        var markup = opening(name, attributes)
        for child in children { markup += child.markup }
        markup += "</\(name)>"
        return HTML(markup: markup)
    }

    /// An element that has no content and no end, such as `img`.
    package static func void(_ name: StaticString, _ attributes: [Attribute]) -> HTML {
        HTML(markup: opening(name, attributes))
    }

    /// An element of an inline picture without content.
    package static func shape(_ name: StaticString, _ attributes: [Attribute]) -> HTML {
        element(name, attributes, [])
    }

    package static func + (left: HTML, right: HTML) -> HTML {
        HTML(markup: left.markup + right.markup)
    }

    /// An attribute with its value.
    package struct Attribute: Sendable, Hashable {
        fileprivate let markup: String

        package init(_ name: StaticString, _ value: String) {
            markup = " \(name)=\"\(HTML.escaped(value))\""
        }

        /// One that is there or not.
        package init(_ name: StaticString) {
            markup = " \(name)"
        }

        package static func `class`(_ value: StaticString) -> Attribute { Attribute("class", value.description) }

        /// Where something begins on an axis and how much of it it takes, shares of 0–1.
        package static func place(_ start: Double, _ length: Double) -> Attribute {
            Attribute("style", "left:\(percent(start));width:\(percent(length))")
        }

        package static func left(_ start: Double) -> Attribute { Attribute("style", "left:\(percent(start))") }

        private static func percent(_ share: Double) -> String {
            "\(Figures.decimal(share.isFinite ? min(max(share, 0), 1) * 100 : 0, 3))%"
        }
    }

    private static func opening(_ name: StaticString, _ attributes: [Attribute]) -> String {
        var markup = "<\(name)"
        for attribute in attributes { markup += attribute.markup }
        return markup + ">"
    }

    /// Characters that mean something to HTML as references; control characters, which HTML does not allow, as the sign
    /// for what cannot be shown.
    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
