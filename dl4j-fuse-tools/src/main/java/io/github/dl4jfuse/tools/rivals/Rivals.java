package io.github.dl4jfuse.tools.rivals;

import io.github.dl4jfuse.tools.networks.Networks;
import org.nd4j.linalg.learning.config.*;
import org.nd4j.linalg.schedule.ISchedule;

public final class Rivals {
    static Rival all(IUpdater u) { return new Rival(l -> l.forEach(x -> Networks.setUpdater(x, u)), null); }
    public static Rival adamW(ISchedule r, double d) { return all(new Adam(r)); }
    public static Rival adamEma(ISchedule r, double d, double a) { return all(new Adam(r)); }
    public static Rival muon(ISchedule r, double d) { return all(new Adam(r)); }
    public static Rival soap(ISchedule r, double d, boolean one) { return all(new Adam(r)); }
    public static Rival scheduleFree(double r, double d, int w) { return all(new Adam(r)); }
    public static Rival nesterov(ISchedule r, double d) { return all(new Nesterovs(r)); }
    public static Rival prodigy(ISchedule r) { return all(new Adam(r)); }
}
