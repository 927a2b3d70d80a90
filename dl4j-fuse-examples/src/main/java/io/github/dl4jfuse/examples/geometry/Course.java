package io.github.dl4jfuse.examples.geometry;

import java.util.ArrayList;
import java.util.List;

/** Training loss over steps and processor seconds of one run. */
final class Course {

    private record Point(double loss, double seconds) {}

    private final String name;
    private final List<Point> points = new ArrayList<>();
    private double spent;

    Course(String name) {
        this.name = name;
    }

    /** Makes a step; only this is timed. */
    void step(Runnable step) {
        double begin = Run.now();
        step.run();
        spent += Run.now() - begin;
    }

    /** Notes the loss where the steps have led. */
    void reached(double loss) {
        points.add(new Point(loss, spent));
    }

    /** The same with all points at the end of the time, for a run that was timed as a whole. */
    Course endedAt(double seconds) {
        points.replaceAll(point -> new Point(point.loss(), seconds));
        return this;
    }

    double seconds() {
        return spent;
    }

    double loss() {
        return points.get(points.size() - 1).loss();
    }

    /** Returns when the loss was first down to a target. */
    Run to(double target) {
        for (int i = 0; i < points.size(); i++) {
            if (points.get(i).loss() <= target) {
                return new Run(name, loss(), i + 1, points.get(i).seconds(), true);
            }
        }
        return new Run(name, loss(), points.size(), spent, false);
    }
}
