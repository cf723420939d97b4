import Analysis
import Events
import Faces
import Testing

@Suite struct SentenceTests {
    private func facts(_ change: (inout Sentence.Facts) -> Void) -> Sentence.Facts {
        var facts = Sentence.Facts()
        change(&facts)
        return facts
    }

    private func pose(_ yaw: Float, _ pitch: Float = 0, _ roll: Float = 0) -> HeadPose {
        HeadPose(yaw: yaw, pitch: pitch, roll: roll)
    }

    /// The example in the documentation of `Sentence`.
    @Test func theExample() {
        let facts = facts {
            $0.years = 35
            $0.gender = .male
            $0.pose = pose(15, -20)
            $0.eyes = .open
            $0.mouth = .open
            $0.expression = .happy
        }
        #expect(
            Sentence.compose(facts)
                == "Adult man, face turned slightly to his left, looking down, mouth open, appears happy."
        )
    }

    @Test func nothingKnownIsAPerson() {
        #expect(Sentence.compose(Sentence.Facts()) == "Person.")
    }

    @Test(arguments: [
        (Float(2), Sentence.Gender?.none, "Small child."), (2, .male, "Small child."), (8, .male, "Boy."),
        (8, .female, "Girl."), (8, nil, "Child."), (16, .male, "Young man."), (16, .female, "Young woman."),
        (16, nil, "Young person."), (40, .male, "Adult man."), (40, .female, "Adult woman."), (40, nil, "Adult."),
        (70, .male, "Older man."), (70, .female, "Older woman."), (70, nil, "Older person."),
    ]) func persons(years: Float, gender: Sentence.Gender?, text: String) {
        let facts = facts {
            $0.years = years
            $0.gender = gender
        }
        #expect(Sentence.compose(facts) == text)
    }

    @Test func genderWithoutAge() {
        #expect(Sentence.compose(facts { $0.gender = .male }) == "Male person.")
        #expect(Sentence.compose(facts { $0.gender = .female }) == "Female person.")
    }

    /// The right edge of the image is the person's left.
    @Test func sidesAreThePersonsOwn() {
        #expect(Sentence.compose(facts { $0.pose = pose(30) }) == "Person, face turned to their left.")
        #expect(Sentence.compose(facts { $0.pose = pose(-30) }) == "Person, face turned to their right.")
        #expect(Sentence.compose(facts { $0.pose = pose(-60) }) == "Person, face turned far to their right.")
        // A head that tilts clockwise as the viewer sees it leans to its own left.
        #expect(
            Sentence.compose(facts { $0.pose = pose(0, 0, 20) })
                == "Person, facing the camera, head tilted to their left."
        )
        let woman = facts {
            $0.gender = .female
            $0.pose = pose(-15, 0, -20)
        }
        #expect(
            Sentence.compose(woman)
                == "Female person, face turned slightly to her right, head tilted to her right."
        )
    }

    @Test func nods() {
        #expect(Sentence.compose(facts { $0.pose = pose(0, 20) }) == "Person, looking up.")
        #expect(Sentence.compose(facts { $0.pose = pose(0, -20) }) == "Person, looking down.")
        #expect(Sentence.compose(facts { $0.pose = pose(3, 3, 3) }) == "Person, facing the camera.")
    }

    @Test func eyesAndMouthAreToldWhereTheyDiffer() {
        #expect(Sentence.compose(facts { $0.eyes = .closed }) == "Person, eyes closed.")
        for state in [EyesState.open, .mixed] { #expect(Sentence.compose(facts { $0.eyes = state }) == "Person.") }
        #expect(Sentence.compose(facts { $0.mouth = .closed }) == "Person.")
        #expect(Sentence.compose(facts { $0.mouth = .wideOpen }) == "Person, mouth wide open.")
    }

    @Test func expressions() {
        #expect(Sentence.compose(facts { $0.expression = .neutral }) == "Person, expression neutral.")
        for expression in Expression.allCases where expression != .neutral {
            #expect(Sentence.compose(facts { $0.expression = expression }) == "Person, appears \(expression.rawValue).")
        }
    }

    /// Each fact adds its words and takes none away.
    @Test func wordsOnlyForGivenFacts() {
        let words = ["turned", "looking", "tilted", "facing", "eyes", "mouth", "appears", "expression"]
        let plain = Sentence.compose(facts { $0.years = 30 })
        for word in words { #expect(!plain.contains(word)) }
        let text = Sentence.compose(
            facts {
                $0.mouth = .open
                $0.eyes = .closed
            }
        )
        #expect(text == "Person, eyes closed, mouth open.")
    }
}
